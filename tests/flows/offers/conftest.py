"""A mailbox of real files, a site with the pages of its offers, and runs over them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from prefect import State
from regie_toy_site import Answer, Site, site

from flows.offers.opening import open_store
from flows.offers.pipeline import offers_pipeline
from lib.offers.offer import Offer
from lib.offers.options import OffersOptions
from lib.offers.stores.options import StoreOptions
from lib.web.options import WebOptions

FIRST = 4_000_000_000
"""The site's number of offer 0."""
PROFILE = """
about = "A baker who likes bread."
[[criteria]]
name = "Trade"
description = "5: bread; 0: anything else"
words = ["baker", "bread"]
"""
JOB = """<html><head><script type="application/ld+json">{{"@context": "https://schema.org", "@type": "JobPosting",
"title": "Baker {number}", "hiringOrganization": {{"@type": "Organization", "name": "Oven {number}"}},
"jobLocation": {{"@type": "Place", "address": {{"addressLocality": "Lyon"}}}},
"description": "<p>We look for a baker who makes bread every morning, in a small team, for a shop in the old town.</p>"
}}</script></head><body><h1>Baker {number}</h1></body></html>"""


def alert(numbers: range) -> bytes:
    """Return an alert as LinkedIn sends it in plain text."""
    message = EmailMessage()
    message["From"] = "LinkedIn Job Alerts <jobalerts-noreply@linkedin.com>"
    message["To"] = "seeker@example.com"
    message["Subject"] = f"{len(numbers)} new jobs for baker"
    message["Date"] = "Fri, 20 Nov 2026 08:00:00 +0000"
    message["Message-ID"] = f"<{numbers.start}@alerts.example>"
    cards = "\n---------------------------------------------------------\n\n".join(
        f"Baker {n}\nOven {n}\nLyon\nView job: https://www.linkedin.com/comm/jobs/view/{FIRST + n}/?trackingId=x\n"
        for n in numbers
    )
    message.set_content(f"Your job alert for baker in Lyon\n{len(numbers)} new jobs match your preferences.\n\n{cards}")
    return message.as_bytes()


@dataclass
class Desk:
    """Everything that a run works with."""

    folder: Path
    pages: Site
    store: str = ""
    options: OffersOptions = field(default_factory=OffersOptions)

    def receive(self, numbers: range) -> None:
        """Have an alert with these offers come in."""
        (self.folder / "mail" / f"{numbers.start:05}.eml").write_bytes(alert(numbers))

    def run(self, **more: Any) -> State[Any]:
        """Run the workflow."""
        return offers_pipeline(
            mail=str(self.folder / "mail"),
            store=self.store or str(self.folder / "offers.db"),
            profile=str(self.folder / "profile.toml"),
            options=self.options,
            return_state=True,
            **more,
        )

    @property
    def offers(self) -> list[Offer]:
        """What the store holds."""
        with closing(open_store(self.store or str(self.folder / "offers.db"), self.options)) as opened:
            return [offer for page in opened.load() for offer in page]


@pytest.fixture
def make_desk(tmp_path: Path, prefect_server: None) -> Iterator[Callable[..., Desk]]:
    def page(request: Any) -> Answer:
        number = int(request.path.rstrip("/").rpartition("/")[2].partition("?")[0]) - FIRST
        return Answer(JOB.format(number=number))

    (tmp_path / "mail").mkdir()
    (tmp_path / "profile.toml").write_text(PROFILE)
    with site({f"/jobs/view/{FIRST + n}": page for n in range(2000)}) as pages:
        web = WebOptions(hosts={"www.linkedin.com": f"127.0.0.1:{pages.port}"}, delay=0, host_requests=8)

        def make(kept: StoreOptions | None = None, **more: Any) -> Desk:
            options = OffersOptions(web=web, store=kept or StoreOptions())
            return Desk(tmp_path, pages, options=options, **more)

        yield make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
