"""Welcome to the Jungle's alerts."""

import re

from lib.offers.alerts import words
from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_PATH = re.compile(
    r"/([a-z]{2}(?:-[A-Z]{2})?)/companies/([a-z0-9][a-z0-9_-]{0,120})/jobs/([A-Za-z0-9][A-Za-z0-9_%.-]{0,250})/?"
)
_TRACKED = re.compile(r"(?:u\d{1,5}\.)?([A-Za-z0-9-]{8,3000})_.{1,3000}")
_KIND_AND_PLACE = re.compile(r"([^-]{1,40}) - (.{2,120})")


class WelcomeToTheJungle(Site):
    """Links go through a tracker (SendGrid's) that says, encrypted, where they lead, and behind `_` who clicks.

    The last four characters of where they lead are a signature, another one for each link of an offer.
    """

    name = "Welcome to the Jungle"
    addresses = ("alerts@welcometothejungle.com",)
    trackers = re.compile(r"t\.welcometothejungle\.com")
    order = ("company", "title", "place")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        if link.host not in {"www.welcometothejungle.com", "welcometothejungle.com"}:
            return None
        found = _PATH.fullmatch(link.path)
        if not found:
            return None
        return Identity(f"{found[2]}/{found[3]}", f"https://www.welcometothejungle.com{found[0].rstrip('/')}")

    def mark(self, link: str) -> str:
        """Return where links lead to, encrypted."""
        parsed = Link.read(link)
        found = _TRACKED.fullmatch(parsed.query.get("upn", "")) if parsed else None
        return found[1][:-4] if found else link

    def parts(self, text: str) -> list[str]:
        """Return what a line says: `CDI - Paris`."""
        found = _KIND_AND_PLACE.fullmatch(text)
        return [found[1], found[2]] if found and words.contract(found[1]) else super().parts(text)
