"""Free-Work's alerts."""

import re

from lib.offers.alerts import words
from lib.offers.alerts.base import Card, Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_SLUG = r"[A-Za-z0-9][A-Za-z0-9_%.-]{0,250}"
_PATH = re.compile(rf"/(?:fr|en-gb|en)/tech-it/(?:{_SLUG}/)?job-mission/((?:{_SLUG}/)?{_SLUG})/?")


class FreeWork(Site):
    """A card is one link: title and kinds of contract (`Title - Freelance, CDI`), then `12 mois - 55k-65k € - Paris`.

    The firm is never said. The place is the last of the facts.
    """

    name = "Free-Work"
    addresses = ("jobs@free-work.com",)
    order = ("title", "place")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        found = _PATH.fullmatch(link.path) if link.host in {"www.free-work.com", "free-work.com"} else None
        return Identity(found[1], f"https://www.free-work.com{found[0].rstrip('/')}") if found else None

    def read(self, link: str, texts: list[str]) -> Card:
        """Return the offer of these texts."""
        head, *below = texts or [""]
        title, _, kind = head.rpartition(" - ")
        if not title or not words.contract(kind):
            title, kind = head, ""
        *facts, place = " - ".join(text for text in below if not words.contract(text)).split(" - ")
        kinds = [kind, *(text for text in below if words.contract(text))]
        return super().read(link, [title, *kinds, *(fact for fact in facts if words.salary(fact)), place])
