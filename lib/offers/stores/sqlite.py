"""Offers in a file of SQLite: the embedded default, which any tool for SQLite may edit."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lib.errors import InputError, UnavailableError
from lib.offers.offer import Offer
from lib.offers.statuses import OPEN, Status
from lib.offers.stores.base import PAGE, Calls, Change, GoneError, RefusedError
from lib.offers.stores.options import StoreOptions
from lib.offers.stores.rows import COLUMNS, SAYING, batch, clean, difference, is_empty, offer_of, row_of

APPLICATION = 0x5265676F
"""Marks a file as ours: `Rego`."""
VERSION = 1
PATIENCE_SECONDS = 30.0
"""How long a write of another process is waited for."""

_TABLE = """
CREATE TABLE offers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, link TEXT UNIQUE, key TEXT, source TEXT, title TEXT, company TEXT, place TEXT,
  contract TEXT, salary TEXT, remote TEXT, published TEXT, expires TEXT, description TEXT, status TEXT, score REAL,
  reasons TEXT, profile TEXT, note TEXT, seen TEXT
)"""
"""AUTOINCREMENT: else a new row may get the id of one that was deleted. Tables made without it do no harm."""
# Put together of names of our own alone.
_SELECT = f"SELECT id, {', '.join(COLUMNS)} FROM offers "  # noqa: S608
_INSERT = (
    f"INSERT INTO offers ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)}) "  # noqa: S608
    f"ON CONFLICT (link) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS)} "
    f"WHERE {' || '.join(f'''coalesce(offers.{name}, '')''' for name in SAYING)} = ''"
)


class SqliteStore:
    """Offers in one file, made when it is first used; statuses are kept under the names of the settings.

    A page read and a batch written count as a call each, as with a service. It is not in WAL mode: one file is all
    there is, which may lie on a network's disk, and a write takes milliseconds. Raises InputError for a file that is
    damaged, of something else, or of a newer version; with `must_exist` also for one that is not there.
    """

    def __init__(self, path: Path, options: StoreOptions, *, must_exist: bool = False) -> None:
        self.calls = Calls()
        self._path = path
        self._names = options.statuses
        with self._in_words():
            if must_exist and not path.exists():
                raise InputError(f"There is no store {path}: check its path; the first run makes one.")
            path.parent.mkdir(parents=True, exist_ok=True)
            # A store is used by one thread at a time, not always by the one that opened it.
            self._database = sqlite3.connect(
                path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
            )
        self._database.text_factory = lambda data: data.decode("utf-8", "replace")
        self._database.create_function("status_of", 1, self._status_of, deterministic=True)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"SQLite {self._path.name}"

    def load(self, *, open_only: bool = False) -> Iterator[list[Offer]]:
        """Give every offer, a page at a time; with `open_only` those with a status that may still be worked on."""
        statuses, last, more = OPEN if open_only else tuple(Status), 0, True
        while more:
            self.calls.reads += 1
            # One more than a page has tells whether there is another page.
            found = self._select(f"WHERE id > ? AND {_among(statuses)} ORDER BY id LIMIT ?", last, *statuses, PAGE + 1)
            more, found = len(found) > PAGE, found[:PAGE]
            last = int(found[-1].record) if found else last
            yield [offer for offer in found if not is_empty(offer)]

    def find(self, source: str, status: Status, *, limit: int = PAGE) -> list[Offer]:
        """Return the offers of a source (of all when empty) with a status, the best score first."""
        self.calls.reads += 1
        found = self._select(
            "WHERE (? = '' OR source = ?) AND status_of(status) = ? "
            "ORDER BY typeof(score) IN ('integer', 'real') DESC, score DESC, id LIMIT ?",
            clean(source), clean(source), status, limit,
        )  # fmt: skip
        return [offer for offer in found if not is_empty(offer)]

    def add(self, offers: Sequence[Offer]) -> list[Offer]:
        """Write at most BATCH new offers and return them, or the rows that their links have already, in order."""
        rows = [row_of(offer, self._names) for offer in batch(offers)]
        if not rows:
            return []
        self.calls.writes += 1
        with self._writing():
            self._database.executemany(_INSERT, rows)
            return [self._select("WHERE link = ?", row["link"])[0] for row in rows]

    def change(self, changes: Sequence[Change]) -> list[Offer]:
        """Write what changed of at most BATCH offers that are there, and return them as they are now."""
        if not any(difference(each, self._names) for each in batch(changes)):
            return [each.after for each in changes]
        self.calls.writes += 1
        with self._writing():
            return [self._update(each) for each in changes]

    def problems(self) -> list[str]:
        """Say what is wrong with the file, in words; empty when all is well."""
        with self._in_words():
            columns = {row[1] for row in self._database.execute("PRAGMA table_info(offers)")}
            damage = [str(row[0]) for row in self._database.execute("PRAGMA quick_check(3)")]
        missing = [name for name in ("id", *COLUMNS) if name not in columns]
        found = [f"The table offers of {self._path} has no column {name}: add it." for name in missing]
        if damage != ["ok"]:
            found.append(f"{self._path} is damaged ({'; '.join(damage)}): give back an earlier copy of it.")
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _prepare(self) -> None:
        """Make the table in a new file; InputError when the file is none of ours."""
        with self._writing():
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            (things,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if application != APPLICATION and (application or things):
                raise InputError(f"{self._path} is a database of something else: give another file.")
            if version > VERSION:
                raise InputError(f"{self._path} was made by a newer version of Régie: update Régie.")
            if application != APPLICATION:
                self._database.execute(_TABLE)
                self._database.execute(f"PRAGMA application_id = {APPLICATION}")
                self._database.execute(f"PRAGMA user_version = {VERSION}")

    def _select(self, condition: str, *values: object) -> list[Offer]:
        with self._in_words():
            found = self._database.execute(_SELECT + condition, values).fetchall()
        return [offer_of(str(row[0]), dict(zip(COLUMNS, row[1:], strict=True)), self._names) for row in found]

    def _update(self, change: Change) -> Offer:
        """Write a change, but over no status that somebody has set since; return the row as it is then."""
        before, row = change.before, difference(change, self._names)
        there = self._row(before)
        if not row or (there.status, there.label) != (before.status, before.label):
            return there
        setting = ", ".join(f"{name} = :{name}" for name in row)
        self._database.execute(f"UPDATE offers SET {setting} WHERE id = :id", {**row, "id": before.record})  # noqa: S608
        return self._select("WHERE id = ?", before.record)[0]

    def _row(self, offer: Offer) -> Offer:
        """Return the row of an offer as it is now; GoneError where there is none, or another's has its id."""
        for found in self._select("WHERE id = ?", offer.record):
            if found.link == offer.link:
                return found
        raise GoneError

    def _status_of(self, cell: object) -> str:
        return self._names.status(cell if isinstance(cell, str) else "").value

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing of what is written is kept, and no other process writes meanwhile."""
        with self._in_words():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Turn what SQLite says into words for a person."""
        try:
            yield
        except OSError as error:
            raise UnavailableError(f"{self._path.parent} cannot be made: {error.strerror}.") from None
        except sqlite3.OperationalError as error:
            if "no such" in str(error):
                raise InputError(f"{self._path} is not as it was made ({error}): `regie offers check`.") from None
            raise UnavailableError(f"{self._path} cannot be used: {error}.") from None
        except sqlite3.IntegrityError as error:
            raise RefusedError(f"{self._path} does not take it: {error}.") from None
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"{self._path} is damaged, or no database ({error}): give an earlier copy of it."
            ) from None


def _among(statuses: Sequence[Status]) -> str:
    return f"status_of(status) IN ({', '.join('?' * len(statuses))})"
