"""What a sender's parser is, and what it finds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Identity:
    """Which offer a link leads to."""

    offer_id: str
    """The site's own number of the offer."""
    link: str
    """The offer's own address, without anything that says who clicked."""


@dataclass(frozen=True)
class Card:
    """An offer as an alert shows it; every text is plain text, empty where the alert says nothing."""

    link: str
    """As the alert has it: perhaps through a tracker."""
    title: str
    company: str = ""
    place: str = ""
    contract: str = ""
    salary: str = ""
    remote: str = ""
    flags: tuple[str, ...] = ()
    """What else the alert says of it: `This company is actively hiring`."""


@dataclass(frozen=True)
class Message:
    """A message that was read: its texts, decoded and harmless."""

    sender: str
    subject: str
    sent: datetime | None
    text: str
    """Its plain text; empty when there is none."""
    html: str
    """Its HTML; empty when there is none."""
    addresses: tuple[str, ...] = field(default=())


class Sender(Protocol):
    """A site that sends alerts."""

    name: str
    """The source of its offers: `LinkedIn`."""
    addresses: tuple[str, ...]
    """Where its alerts come from, in lower case: whole addresses, or domains that begin with `@`."""

    def identify(self, link: str) -> Identity | None:
        """Return which offer a link leads to, from the link alone; None for any other link, a look-alike's included."""

    def cards(self, message: Message) -> Sequence[Card]:
        """Return the offers that a message shows, in their order."""
