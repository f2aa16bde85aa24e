"""What is found in alerts."""

from dataclasses import dataclass, field
from datetime import datetime


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
    """The offer's own address where the alert's link says which it is; else that link as it stands, a tracker's."""
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
    text: str = field(repr=False)
    """Its plain text; empty when there is none."""
    html: str = field(repr=False)
    """What people see of its HTML: tags and texts, no attribute but `href` of links; empty when there is none."""


@dataclass(frozen=True)
class Alert:
    """A message and the offers that it shows."""

    message: Message
    cards: tuple[Card, ...]
