"""makesense's alerts."""

import json
import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link, decoded
from lib.offers.alerts.site import Site

_PATH = re.compile(r"/(?:[a-z]{2}/)?jobs/([A-Za-z0-9_-]{3,120})/?")
_TRACKED = re.compile(r"/e/c/([A-Za-z0-9_=-]{8,3500})(?:/[0-9a-f]{0,128})?")


class Makesense(Site):
    """Links go through a tracker (Customer.io's) that says in base64 where they lead."""

    name = "makesense"
    addresses = ("jobs@makesense.org",)

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        if link.host == "e.customeriomail.com":
            found = Link.read(_target(link.path))
            return self.offer(found) if found and found.host == "jobs.makesense.org" else None
        path = _PATH.fullmatch(link.path) if link.host == "jobs.makesense.org" else None
        return Identity(path[1], f"https://jobs.makesense.org/fr/jobs/{path[1]}") if path else None


def _target(path: str) -> str:
    found = _TRACKED.fullmatch(path)
    try:
        said = json.loads(decoded(found[1])) if found else None
    except (ValueError, RecursionError):
        return ""
    target = said.get("href") if isinstance(said, dict) else None
    return target if isinstance(target, str) else ""
