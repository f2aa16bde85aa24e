"""JobLeads' alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_HOSTS = {"www.jobleads.com", "jobleads.com"}
_PATH = re.compile(r"/(?:[a-z]{2}/)?job/([A-Za-z0-9][A-Za-z0-9_%.-]{3,250})/?")
_PROMOTED = re.compile(r"(?:[a-z]{3,12}-)?[0-9a-f]{12,64}")


class JobLeads(Site):
    """Texts have no link, their button has; it says the offer, or, in `redirectBack`, a list with the offer on top."""

    name = "JobLeads"
    addresses = ("mailer@jobleads.com",)
    trackers = re.compile(r"(?:click|link|email|mailer)\.jobleads\.com")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        if link.host not in _HOSTS:
            return None
        if found := _PATH.fullmatch(link.path):
            return Identity(found[1], f"https://www.jobleads.com{found[0].rstrip('/')}")
        back = Link.read(link.query.get("redirectBack", ""))
        shown = back if back and back.host in _HOSTS else link
        number = shown.query.get("promotedJobs", "")
        if not _PROMOTED.fullmatch(number):
            return None
        return Identity(number, f"https://www.jobleads.com{shown.path}?promotedJobs={number}")
