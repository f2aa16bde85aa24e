"""Cadremploi's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_PATHS = re.compile(r"/emploi/detail_offre(?:\.html)?")
_NUMBER = re.compile(r"\d{1,24}")


class Cadremploi(Site):
    """Links go through a tracker that says nothing, each another one; a line says `Firm • Paris • CDI`."""

    name = "Cadremploi"
    addresses = ("offres@alertes.cadremploi.fr",)
    trackers = re.compile(r"r\.emails\d{0,2}\.alertes\.cadremploi\.fr")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        number = link.query.get("offreId", "")
        if link.host not in {"www.cadremploi.fr", "cadremploi.fr"} or not _PATHS.fullmatch(link.path):
            return None
        if not _NUMBER.fullmatch(number):
            return None
        return Identity(number, f"https://www.cadremploi.fr/emploi/detail_offre?offreId={number}")
