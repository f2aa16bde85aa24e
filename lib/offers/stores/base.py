"""The port of a store of offers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from lib.errors import InputError
from lib.offers.offer import Offer
from lib.offers.statuses import Status

BATCH = 10
"""Offers in one write: as many as Airtable takes."""
PAGE = 100
"""Offers in one read: as many as Airtable gives."""


class RefusedError(InputError):
    """The store does not take what it was given, and would not the next time; nothing of the batch was written.

    But for Airtable's `add` where not everything was loaded: rows with a link alone may stay, which the next `add` of
    these links fills in.
    """


class GoneError(RefusedError):
    """A row that is to be changed is no longer there; nothing of the batch was written."""

    def __init__(self, words: str = "The row is no longer there: somebody deleted it.") -> None:
        super().__init__(words)


@dataclass
class Calls:
    """How often a store was asked, tries that it refused included."""

    reads: int = 0
    writes: int = 0

    @property
    def total(self) -> int:
        """All calls."""
        return self.reads + self.writes


@dataclass(frozen=True)
class Change:
    """An offer as the store has it, and as it is to be: only fields that differ are written."""

    before: Offer
    after: Offer


class Store(Protocol):
    """Holds offers, one row per link; used by one thread at a time, and closed at the end.

    Its methods raise UnavailableError when the store cannot be reached or refuses the credentials (in words for a
    person, without a secret), after the tries that its adapter makes by itself.
    """

    calls: Calls

    @property
    def name(self) -> str:
        """What it is, for people, without a secret: `SQLite offers.db`, `Airtable appX/Offres`."""

    def load(self, *, open_only: bool = False) -> Iterator[list[Offer]]:
        """Give every offer, a page at a time; with `open_only` those with a status that may still be worked on.

        A row that says nothing at all is left out: tables are made with some.
        """

    def find(self, source: str, status: Status, *, limit: int = PAGE) -> list[Offer]:
        """Return the offers of a source (of all when empty) with a status, for people to look at: best score first.

        OTHER stands for every status that is none of ours. One call for up to PAGE offers.
        """

    def add(self, offers: Sequence[Offer]) -> list[Offer]:
        """Write at most BATCH new offers and return them in order, each with its record.

        A link that has a row already keeps that row as it is, and the offer that is returned is that row: also where
        `load` left it out, and when the same call is made twice. One with a link alone is filled in. Raises
        RefusedError.

        Airtable's adapter knows rows from `load` and from what it wrote. Where it loaded everything, it writes over a
        row that somebody else has made with the same link since; and a row that has been deleted since counts as there
        until a `change` of it finds that out.
        """

    def change(self, changes: Sequence[Change]) -> list[Offer]:
        """Write what changed of at most BATCH offers that are there, and return them as they are now.

        Where somebody has set another status since `before` was read, SQLite's adapter writes nothing to that row and
        returns it as it is; Airtable cannot compare without a read, and its adapter writes over it. Raises GoneError
        when a row of the batch is no longer there, else RefusedError.
        """

    def problems(self) -> list[str]:
        """Compare what is there with what the settings name and say what differs, in words; empty when all is well."""

    def close(self) -> None:
        """Let go of files and connections."""
