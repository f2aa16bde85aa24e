"""What a page says of one offer, and which of several it speaks of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from urllib.parse import unquote, urlsplit

from lib.offers.complete.texts import agreement
from lib.offers.offer import Offer

ALIKE = 0.6
"""Share of the words of two titles that makes them one."""


@dataclass(frozen=True)
class Posting:
    """What a page says of one offer; every text is plain text, empty where it says nothing."""

    title: str = ""
    company: str = ""
    place: str = ""
    contract: str = ""
    salary: str = ""
    remote: str = ""
    published: date | None = None
    expires: date | None = None
    description: str = ""
    identity: str = ""
    """The site's own number of the offer."""
    url: str = ""
    """Its address, where the page says it; perhaps relative to the page's."""

    def over(self, other: "Posting") -> "Posting":
        """Return this posting with what it does not say taken from another."""
        gaps = {f.name: getattr(other, f.name) for f in fields(self) if not getattr(self, f.name)}
        return replace(self, **gaps)


def combined(postings: Iterable[Posting]) -> Posting:
    """Return each field from the first posting that has it."""
    result = Posting()
    for posting in postings:
        result = result.over(posting)
    return result


def fitting(postings: Sequence[Posting], offer: Offer, addresses: Sequence[str]) -> Posting | None:
    """Return the posting that is the offer's own, None when there is none: other offers of a list are not the offer.

    `addresses` are those that the page is known under. A posting fits by its address or number, or by its title and
    company. The only one of a page fits also when it names no other address.
    """
    rated = [(_rating(each, offer, addresses, only=len(postings) == 1), each) for each in postings]
    best = max(rated, key=lambda pair: pair[0], default=(0.0, None))
    return best[1] if best[0] > 0 else None


def offer_number(offer: Offer) -> str:
    """Return the site's own number of an offer; empty where only a fingerprint is known."""
    number = offer.key.partition(":")[2]
    return "" if number.startswith("~") else number


def _rating(posting: Posting, offer: Offer, addresses: Sequence[str], *, only: bool) -> float:
    number = offer_number(offer)
    same = bool(posting.url) and any(_path(posting.url) == _path(each) for each in addresses)
    named = bool(number) and number in {posting.identity, *_path(posting.url).replace("-", "/").split("/")}
    title = agreement(posting.title, offer.title)
    company = agreement(posting.company, offer.company)
    if same or named:
        return 4 + title + company
    alone = only and not posting.url
    if title >= ALIKE and (alone or company or not (posting.company and offer.company)):
        return 2 + title + company
    return 1.0 if alone and (title or not (offer.title and posting.title)) else 0.0


def _path(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    path = unquote(parts.path).rstrip("/").casefold()
    # Addresses that tell offers apart by their query: `/viewjob?jk=abc`.
    return f"{path}?{parts.query}" if path.count("/") < 2 and parts.query else path
