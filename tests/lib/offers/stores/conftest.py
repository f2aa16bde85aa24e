"""The two stores, each with what it needs to be one on this machine."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from regie_toy_airtable import NAMES, Airtable, airtable

from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.offers.stores.airtable import AirtableStore
from lib.offers.stores.base import Store
from lib.offers.stores.options import StoreOptions
from lib.offers.stores.sqlite import SqliteStore
from lib.throttle import Throttle


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Place(Protocol):
    """Where a store keeps its offers, which people edit too."""

    asks_before_it_writes: bool
    """Whether the adapter looks at a row in the same transaction in which it writes to it; a service has none."""

    def open(self, **options: Any) -> Store:
        """Return a store that knows nothing yet; it is closed at the end of the test."""

    def by_hand(self, **cells: Any) -> None:
        """Add a row of these cells, by attributes of an offer, as a person would."""

    def edit(self, link: str, **cells: Any) -> None:
        """Put these cells into the row of a link, as a person would."""

    def delete(self, link: str) -> None:
        """Take the row of a link away, as a person would."""

    def count(self) -> int:
        """Return how many rows there are."""


class SqlitePlace:
    asks_before_it_writes = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stores: list[Store] = []

    def open(self, **options: Any) -> Store:
        self.stores.append(SqliteStore(self.path, StoreOptions(**options)))
        return self.stores[-1]

    def by_hand(self, **cells: Any) -> None:
        self.open()
        marks = ", ".join("?" * len(cells))
        self._execute(f"INSERT INTO offers ({', '.join(cells)}) VALUES ({marks})", *cells.values())

    def edit(self, link: str, **cells: Any) -> None:
        setting = ", ".join(f"{name} = ?" for name in cells)
        self._execute(f"UPDATE offers SET {setting} WHERE link = ?", *cells.values(), link)

    def delete(self, link: str) -> None:
        self._execute("DELETE FROM offers WHERE link = ?", link)

    def _execute(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.path)) as database, database:
            database.execute(statement, values)

    def count(self) -> int:
        with closing(sqlite3.connect(self.path)) as database:
            return int(database.execute("SELECT count(*) FROM offers").fetchone()[0])


class AirtablePlace:
    asks_before_it_writes = False

    def __init__(self, server: Airtable) -> None:
        self.server = server
        self.stores: list[Store] = []

    def open(self, **options: Any) -> Store:
        clock = Clock()
        throttle = Throttle(1000, clock=clock, sleep=clock.sleep)
        options = self.server.options(**options)
        self.stores.append(AirtableStore(options, self.server.token, self.server.endpoint, throttle=throttle))
        return self.stores[-1]

    def by_hand(self, **cells: Any) -> None:
        self.server.put({getattr(NAMES, name): value for name, value in cells.items()})

    def edit(self, link: str, **cells: Any) -> None:
        self.server.records[self._record(link)] |= {getattr(NAMES, name): value for name, value in cells.items()}

    def delete(self, link: str) -> None:
        del self.server.records[self._record(link)]

    def _record(self, link: str) -> str:
        return next(record for record, row in self.server.records.items() if row[NAMES.link] == link)

    def count(self) -> int:
        return len(self.server.rows)


@pytest.fixture(params=["sqlite", "airtable"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each kind of place in turn, empty."""
    with closing_all(request.param, tmp_path) as place:
        yield place


@contextmanager
def closing_all(kind: str, folder: Path) -> Iterator[Place]:
    if kind == "sqlite":
        files = SqlitePlace(folder / "new" / "offers.db")
        yield files
        stores = files.stores
    else:
        with airtable() as server:
            base = AirtablePlace(server)
            yield base
            stores = base.stores
    for store in stores:
        store.close()


def offer(number: int = 1, **more: Any) -> Offer:
    """An offer with everything that one can have."""
    made = Offer(
        link=f"https://jobs.example/{number}",
        key=f"LinkedIn:{number}",
        source="LinkedIn",
        title=f"Ingénieure données {number}",
        company="Atelier Brume",
        place="Nantes",
        contract="CDI",
        salary="45–50 k€",
        remote="2 jours",
        published=date(2026, 3, 1),
        expires=date(2026, 5, 1),
        description="Concevoir des flux.\nLes tenir.",
        status=Status.TO_COMPLETE,
        score=71.5,
        reasons="Lieu: 80\nContrat: 60",
        profile="9f3a",
        note="page lue",
        seen=datetime(2026, 3, 2, 7, 30, tzinfo=UTC),
    )
    return replace(made, **more)


def everything(store: Store, *, open_only: bool = False) -> list[Offer]:
    """Return all that a store gives."""
    return [each for page in store.load(open_only=open_only) for each in page]


Made = Callable[..., Offer]
Cells = Mapping[str, Any]
