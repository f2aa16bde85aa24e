"""HelloWork's alerts."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link, decoded
from lib.offers.alerts.site import Site

_SITE = "https://www.hellowork.com/"
_PATH = re.compile(r"/fr-fr/emplois/(\d{4,12})\.html")


class HelloWork(Site):
    """Links go through a tracker whose last part is, in base64, the subscriber's address and the offer's.

    So a link of the tracker is never kept: one that leads to no offer is as good as none.
    """

    name = "HelloWork"
    addresses = (
        "alerte@emails.hellowork.com",
        "notification@emails.hellowork.com",
        "recommandation@emails.hellowork.com",
    )

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        if link.host == "emails.hellowork.com" and link.path.startswith("/clic/"):
            inside = (decoded(part) for part in link.path.split("/")[-2:] if len(part) > len(_SITE))
            ends = (text[text.index(_SITE) :] for text in inside if _SITE in text)
            found = next((read for end in ends if (read := Link.read(end))), None)
            return self.offer(found) if found and found.host == "www.hellowork.com" else None
        found_path = _PATH.fullmatch(link.path) if link.host in {"www.hellowork.com", "hellowork.com"} else None
        return Identity(found_path[1], f"{_SITE}fr-fr/emplois/{found_path[1]}.html") if found_path else None
