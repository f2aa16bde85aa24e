"""Jobijoba's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_HOSTS = {"www.jobijoba.com", "jobijoba.com"}
_PATH = re.compile(r"/([a-z]{2})/(?:annonce|ad|anuncio|annuncio|anzeige)/(\d{1,4}/[0-9a-f]{16,64})/?")
_ELSEWHERE = re.compile(
    r"/[a-z]{2}/(?:emploi|query|alert|alerte|account|compte|desabonnement|unsubscribe)\b.{0,500}|/?"
)
_FACTS = re.compile(r" - ")


class Jobijoba(Site):
    """A card is one link, to the offer or through a redirection of the site; a line says `Firm - Lyon - CDI`."""

    name = "Jobijoba"
    addresses = ("contact@jobijoba.com",)
    trackers = re.compile(r"(?:www|click|clic|link|mail)\.jobijoba\.com")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        found = _PATH.fullmatch(link.path) if link.host in _HOSTS else None
        if not found:
            return None
        return Identity(found[2], f"https://www.jobijoba.com/{found[1]}/annonce/{found[2]}")

    def tracks(self, link: str) -> bool:
        """Say whether only Jobijoba knows where a link leads."""
        parsed = Link.read(link)
        return parsed is not None and not _ELSEWHERE.fullmatch(parsed.path) and super().tracks(link)

    def parts(self, text: str) -> list[str]:
        """Return what a line says."""
        return _FACTS.split(text) if text.count(" - ") in {1, 2} and len(text) <= 160 else super().parts(text)
