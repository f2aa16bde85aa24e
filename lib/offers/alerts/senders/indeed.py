"""Indeed's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link
from lib.offers.alerts.site import Site

_HOST = re.compile(r"(?:(?:www|[a-z]{2}|[a-z]{2}-[a-z]{2})\.)?indeed\.com")
_PATH = re.compile(r"/(?:(?:m/)?viewjob|(?:rc|pagead)/clk(?:/dl)?)/?")
_KEY = re.compile(r"[0-9a-z]{6,32}")
_FIRM_AND_PLACE = re.compile(r"(.{1,80}?)\s+-\s+(.{2,80})")


class Indeed(Site):
    """Links have the offer's key `jk`, but for advertisements and for those through `cts` and `engage`."""

    name = "Indeed"
    addresses = ("donotreply@jobalert.indeed.com", "donotreply@match.indeed.com", "alert@indeed.com")
    trackers = re.compile(r"(?:cts|engage)\.indeed\.com|(?:(?:www|[a-z]{2})\.)?indeed\.com")

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        key = link.query.get("jk", "").lower()
        if not (_HOST.fullmatch(link.host) and _PATH.fullmatch(link.path) and _KEY.fullmatch(key)):
            return None
        return Identity(key, f"https://{link.host}/viewjob?jk={key}")

    def tracks(self, link: str) -> bool:
        """Say whether only Indeed knows where a link leads."""
        parsed = Link.read(link)
        opened = parsed is not None and (
            parsed.host in {"cts.indeed.com", "engage.indeed.com"} or "/clk" in parsed.path
        )
        return opened and super().tracks(link)

    def parts(self, text: str) -> list[str]:
        """Return what a line says; plain text has firm and place on one: `Firm - Lyon (69)`."""
        found = _FIRM_AND_PLACE.fullmatch(text)
        return [found[1], found[2]] if found and not any(each.isdigit() for each in found[1]) else super().parts(text)
