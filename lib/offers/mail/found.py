"""What the kinds of folders and files with messages have in common."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lib.offers.mail.heading import Heading


@dataclass(frozen=True)
class Found:
    """An unread message."""

    key: str
    """What its folder or file knows it by; the same the next time."""
    heading: Heading
    size: int


@dataclass(frozen=True)
class Unreadable:
    """A message, or a file with many, that cannot be read."""

    path: Path
    error: OSError


class Kind(Protocol):
    """A folder or file with messages."""

    def unread(self) -> Iterator[Found | Unreadable]:
        """Give the unread messages, of which nothing but the head is kept; OSError when it cannot be read at all."""

    def read(self, key: str, limit: int) -> bytes:
        """Return a message. MessageGoneError, and InputError for one above `limit` bytes or that cannot be read."""

    def handled(self, keys: Sequence[str]) -> None:
        """Have messages count as read; gone ones are no error. UnavailableError where it cannot be written."""
