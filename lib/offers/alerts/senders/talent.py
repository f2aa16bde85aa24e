"""Talent.com's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_HOST = re.compile(r"(?:www|[a-z]{2}|[a-z]{2}-[a-z]{2})\.talent\.com")
_NUMBER = re.compile(r"[0-9a-f]{6,40}")


class Talent(Site):
    """Links say the offer's number; the place stands above the firm."""

    name = "Talent.com"
    addresses = ("no-reply@alerts.talent.com",)
    order = ("title", "place", "company")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        number = link.query.get("id", "").lower()
        if not _HOST.fullmatch(link.host) or link.path not in {"/redirect", "/view"} or not _NUMBER.fullmatch(number):
            return None
        return Identity(number, f"https://{link.host}/view?id={number}")
