"""What a mirror and its storage had in common when they were last compared, file by file."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Identity = tuple[int, int, int]
"""Size, time of change in nanoseconds and inode of a file: Régie replaces files, so a new one has another inode."""


@dataclass(frozen=True)
class Entry:
    """A file that was the same here and there."""

    version: str
    """Of the object."""
    identity: Identity
    """Of the file."""


def identity_of(facts: os.stat_result) -> Identity:
    """Return what a file is known by to be unchanged."""
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


class Index:
    """A small database of entries by name; each change is on the disk when it is made.

    One that is damaged is made anew: what it knew is compared, and fetched, again.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._database = self._open(path)
        except sqlite3.DatabaseError:
            for ending in ("", "-wal", "-shm", "-journal"):
                Path(f"{path}{ending}").unlink(missing_ok=True)
            self._database = self._open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._database.close()

    def entries(self) -> dict[str, Entry]:
        """Return every entry by its name."""
        rows = self._database.execute("SELECT name, version, size, mtime, inode FROM files")
        return {name: Entry(version, (size, mtime, inode)) for name, version, size, mtime, inode in rows}

    def record(self, name: str, entry: Entry) -> None:
        """Note that a file is the same here and there."""
        size, mtime, inode = entry.identity
        values = (name, entry.version, size, mtime, inode)
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO files VALUES (?,?,?,?,?)", values)

    def forget(self, *names: str) -> None:
        """Know nothing of some files any more."""
        with self._database:
            self._database.executemany("DELETE FROM files WHERE name=?", [(name,) for name in names])

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=30)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS files "
                "(name TEXT PRIMARY KEY, version TEXT, size INTEGER, mtime INTEGER, inode INTEGER) WITHOUT ROWID"
            )
            database.execute("SELECT count(*) FROM files").fetchone()
        except BaseException:
            database.close()
            raise
        return database
