"""APEC's alerts."""

import re
from urllib.parse import parse_qsl

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link, decoded
from lib.offers.alerts.site import Site

_PATH = re.compile(r"/candidat/recherche-emploi\.html/emploi/detail-offre/(\d{5,12}[A-Z]?)/?")
_NUMBER = re.compile(r"\d{5,12}[A-Z]?")


class Apec(Site):
    """Links go through a tracker whose query has in base64 the site (`p1`) and the offer's number (`p2`)."""

    name = "APEC"
    addresses = ("offres@diffusion.apec.fr",)

    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to."""
        number = ""
        if link.host == "neomarket.diffusion.apec.fr" and link.path == "/r/":
            said = dict(parse_qsl(decoded(link.query.get("e", ""))))
            number = said.get("p2", "") if said.get("p1") == "www.apec.fr" else ""
        elif link.host == "www.apec.fr" and (found := _PATH.fullmatch(link.path)):
            number = found[1]
        if not _NUMBER.fullmatch(number):
            return None
        return Identity(number, f"https://www.apec.fr/candidat/recherche-emploi.html/emploi/detail-offre/{number}")
