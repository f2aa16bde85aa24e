"""France Travail's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_HOSTS = {"candidat.francetravail.fr", "candidat.pole-emploi.fr"}
_PATH = re.compile(r"/offres/recherche/detail/([0-9A-Z]{6,12})/?")
_FIRM_AND_PLACE = re.compile(r"(?:(.{1,100}?) - )?((?:\d{2,3}|2[AB]) - .{2,80})")


class FranceTravail(Site):
    """Links say the offer's number; a line says `Firm - 75 - Paris`, the firm being left out by many."""

    name = "France Travail"
    addresses = ("nepasrepondre@offre.francetravail.fr",)

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        found = _PATH.fullmatch(link.path) if link.host in _HOSTS else None
        return (
            Identity(found[1], f"https://candidat.francetravail.fr/offres/recherche/detail/{found[1]}")
            if found
            else None
        )

    def parts(self, text: str) -> list[str]:
        """Return what a line says."""
        found = _FIRM_AND_PLACE.fullmatch(text)
        return [part for part in found.groups() if part] if found else super().parts(text)
