"""The port of a mailbox with alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class MessageGoneError(Exception):
    """A message is no longer there: somebody deleted or moved it meanwhile, or the mailbox was made anew."""


@dataclass(frozen=True)
class Envelope:
    """What is known of a message without its body."""

    id: str
    """What the mailbox knows it by: `UIDVALIDITY:UID`, or its place in a folder."""
    source: str
    """The site that it is an alert of."""
    sender: str
    """Address of its sender, lower case."""
    subject: str
    sent: datetime | None = None
    size: int = 0
    """In bytes; 0 where the mailbox does not say."""

    @property
    def name(self) -> str:
        """How it is called where people read of it."""
        return f"{self.subject or '(no subject)'} · {self.sender}"


@dataclass(frozen=True)
class Doubt:
    """A message that is left alone, and why: its sender may be forged, or it cannot be read."""

    name: str
    reason: str
    """Why, in words for people."""


class Mailbox(Protocol):
    """Gives alerts that nobody has read; closed at the end.

    Its methods raise UnavailableError when it cannot be reached or opened, in words for a person, without a secret.
    """

    @property
    def name(self) -> str:
        """What it is, for people, without a secret."""

    @property
    def doubts(self) -> Sequence[Doubt]:
        """What the last audit left alone that looked like an alert, or could not be looked at."""

    def audit(self) -> list[Envelope]:
        """Return the unread messages of known senders, the oldest first, without fetching any body."""

    def fetch(self, envelope: Envelope) -> bytes:
        """Return a message as it was sent; it stays unread. MessageGoneError, and InputError for one too large."""

    def handled(self, envelopes: Sequence[Envelope]) -> None:
        """Flag or move messages whose offers are stored: the next audit does not give them. Gone ones are no error."""

    def close(self) -> None:
        """Let go of connections."""
