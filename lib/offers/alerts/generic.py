"""A sender of which nothing is known but its name: one that a user adds."""

import re

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link, anonymous
from lib.offers.alerts.site import Site

_OF_OFFERS = re.compile(
    r"\b(?:jobs?|job-?offers?|offres?|offre-?emploi|emplois?|annonces?|missions?|postes?|vacanc(?:y|ies)|careers?|"
    r"carri[èe]res?|positions?|openings?|stellen?|recrutement|posting)\b",
    re.IGNORECASE,
)


class Generic(Site):
    """Any link whose block looks like an offer's is one; its number is not known."""

    def __init__(self, name: str) -> None:
        """Stand for the sender of this name."""
        self.name = name

    def offer(self, link: Link) -> Identity | None:
        """Return None: a link alone says nothing."""
        return None

    def tracks(self, link: str) -> bool:
        """Say whether a link may lead to an offer."""
        parsed = Link.read(link)
        return parsed is not None and parsed.path not in {"", "/"}

    def mark(self, link: str) -> str:
        """Return the link without what says who clicked: an offer's title, picture and button share it."""
        return anonymous(link)
