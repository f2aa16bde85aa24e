"""The content hashes of files, computed once."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib.files import sha256

SETTLED_SECONDS = 2.0
"""A file changed again within the resolution of its time stamp (two seconds on FAT) would look the same."""


@dataclass(frozen=True)
class HashBook:
    """A small database of SHA-256 by path, size, time of change and inode.

    Several processes may use it at once. One that is damaged is made anew: nothing but time is lost.
    """

    path: Path

    def sha256(self, file: Path) -> str:
        """Return the SHA-256 of a file's content, from the book when the file has not changed since."""
        key = _key(file)
        known = self._ask("SELECT sha256 FROM hashes WHERE path=? AND size=? AND mtime=? AND inode=?", key)
        if known:
            return str(known[0])
        digest = sha256(file)
        if _key(file) == key and time.time() - key[2] / 1e9 > SETTLED_SECONDS:
            self._ask("INSERT OR REPLACE INTO hashes VALUES (?,?,?,?,?)", (*key, digest))
        return digest

    def _ask(self, statement: str, values: tuple[str | int, ...]) -> tuple[str, ...] | None:
        for _ in range(2):
            try:
                with self._connection() as connection:
                    found: tuple[str, ...] | None = connection.execute(statement, values).fetchone()
                    return found
            except sqlite3.OperationalError:
                return None  # locked for long, read-only or full: go on without
            except sqlite3.DatabaseError:
                for ending in ("", "-wal", "-shm"):
                    Path(f"{self.path}{ending}").unlink(missing_ok=True)
        return None

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS hashes "
                "(path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, inode INTEGER, sha256 TEXT) WITHOUT ROWID"
            )
            with connection:
                yield connection
        finally:
            connection.close()


def _key(file: Path) -> tuple[str, int, int, int]:
    stat = file.stat()
    name = str(file.absolute()).encode(errors="surrogateescape").hex()  # names need not be text
    return name, stat.st_size, stat.st_mtime_ns, stat.st_ino
