"""A sender of which nothing is known but its name: one that a user adds."""

from lib.offers.alerts.base import Identity
from lib.offers.alerts.links import Link, anonymous
from lib.offers.alerts.site import Site


class Generic(Site):
    """Any link whose block looks like an offer's is one; its number is not known."""

    def __init__(self, name: str) -> None:
        """Stand for the sender of this name."""
        self.name = name

    def offer(self, link: Link) -> Identity | None:
        """Return None: a link alone says nothing."""
        return None

    def may_lead(self, link: str) -> bool:
        """Say whether a link may lead to an offer: not one to the front page of a site."""
        parsed = Link.read(link)
        return parsed is not None and parsed.path not in {"", "/"}

    def mark(self, link: str) -> str:
        """Return the link without what says who clicked: an offer's title, picture and button share it."""
        return anonymous(link)

    def parts(self, text: str) -> list[str]:
        """Return what a line says: `Firm - Milan, Italy - Remote - EUR 65000`."""
        parts = text.split(" - ")
        return parts if len(parts) > 2 else super().parts(text)
