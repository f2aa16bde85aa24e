"""Meteojob's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_PATH = re.compile(r"/jobs/(\d{4,14})(?:/.{0,200})?")


class Meteojob(Site):
    """Links say the offer's number; a line says `Firm • CDI • Paris (75) - Île-de-France`."""

    name = "Meteojob"
    addresses = ("ne-pas-repondre@meteojob.com",)

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        found = _PATH.fullmatch(link.path) if link.host in {"www.meteojob.com", "meteojob.com"} else None
        return Identity(found[1], f"https://www.meteojob.com/jobs/{found[1]}") if found else None
