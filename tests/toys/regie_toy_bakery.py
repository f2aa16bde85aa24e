"""Offers for bakers: alerts with them, the site with their pages, and the profile of somebody who seeks one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from regie_toy_site import Answer, Request, Site, site

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


@contextmanager
def bakeries(answer: Callable[[int], Answer] = lambda number: Answer(JOB.format(number=number))) -> Iterator[Site]:
    """Run the site with the pages of the first 2,000 offers; `answer` says what one of them answers."""

    def page(request: Request) -> Answer:
        return answer(int(request.path.partition("?")[0].rstrip("/").rpartition("/")[2]) - FIRST)

    with site({f"/jobs/view/{FIRST + number}": page for number in range(2000)}) as running:
        yield running


def hosts(pages: Site) -> dict[str, str]:
    """Return what has the client ask this site in place of LinkedIn's."""
    return {"www.linkedin.com": f"127.0.0.1:{pages.port}"}
