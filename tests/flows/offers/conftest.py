"""A mailbox of real files, a site with the pages of its offers, and runs over them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prefect import State
from regie_toy_bakery import PROFILE, alert, bakeries, hosts
from regie_toy_site import Site

from flows.offers.opening import open_store
from flows.offers.pipeline import offers_pipeline
from lib.offers.offer import Offer
from lib.offers.options import OffersOptions
from lib.offers.stores.options import StoreOptions
from lib.web.options import WebOptions


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
    (tmp_path / "mail").mkdir()
    (tmp_path / "profile.toml").write_text(PROFILE)
    with bakeries() as pages:
        web = WebOptions(hosts=hosts(pages), delay=0, host_requests=8)

        def make(kept: StoreOptions | None = None, **more: Any) -> Desk:
            options = OffersOptions(web=web, store=kept or StoreOptions())
            return Desk(tmp_path, pages, options=options, **more)

        yield make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
