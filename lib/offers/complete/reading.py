"""A page read as the page of an offer: what it states, what it shows, and what kind of page it is."""

from dataclasses import dataclass, field
from datetime import date

from lib.offers.complete.document import parse
from lib.offers.complete.job_posting import posting_of
from lib.offers.complete.json_ld import job_postings
from lib.offers.complete.judgement import Kind, Verdict, judge
from lib.offers.complete.open_graph import open_graph
from lib.offers.complete.posting import ALIKE, Posting, fitting
from lib.offers.complete.readable import LITTLE, readable
from lib.offers.complete.texts import agreement
from lib.offers.offer import Offer


@dataclass(frozen=True)
class Reading:
    """What was read of a page."""

    verdict: Verdict
    stated: Posting | None = None
    """What the site states of this very offer for machines."""
    shown: Posting = field(default_factory=Posting)
    """What the page shows: its summary for sharing, its title, its text."""


def read_page(text: str, url: str, offer: Offer, today: date) -> Reading:
    """Read a page that came from `url` when the offer's link was asked for; it never fails, whatever the page is."""
    root = parse(text)
    graph = open_graph(root, url)
    stated = fitting([posting_of(each) for each in job_postings(root)], offer, [offer.link, url, graph.url])
    verdict = judge(root, stated, offer, url, today)
    if verdict.kind is not Kind.OFFER or (stated and len(stated.description) >= LITTLE):
        return Reading(verdict, stated, graph if stated else Posting())
    seen = readable(root)
    titles = f"{graph.title} {seen[:2000]}"
    if not stated and offer.title and agreement(offer.title, titles) < ALIKE:
        return Reading(Verdict(Kind.NOTHING, "it says nothing of this offer"))
    # A summary is better than a text that is as short, and worse than one that is longer.
    description = seen if len(seen) >= max(LITTLE, len(graph.description)) else graph.description
    shown = Posting(description=description).over(graph)
    if not stated and not shown.description:
        return Reading(Verdict(Kind.NOTHING, "there is nothing to read on it"))
    return Reading(verdict, stated, shown)
