"""LinkedIn's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_HOST = re.compile(r"(?:(?:www|[a-z]{2})\.)?linkedin\.com")
_PATH = re.compile(r"/(?:comm/)?jobs/view/(?:[^/]{1,300}-)?(\d{6,20})/?")


class LinkedIn(Site):
    """Links say the offer's number; a line says firm, place and in brackets how one works: `Firm · Lyon (Hybride)`."""

    name = "LinkedIn"
    addresses = ("jobalerts-noreply@linkedin.com", "jobs-listings@linkedin.com", "jobs-noreply@linkedin.com")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        found = _PATH.fullmatch(link.path) if _HOST.fullmatch(link.host) else None
        return Identity(found[1], f"https://www.linkedin.com/jobs/view/{found[1]}") if found else None
