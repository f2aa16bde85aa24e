"""Régie's home on the disk: whether it can be worked in, and what is wrong with the database in it."""

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

from lib.errors import InputError
from lib.settings import Settings

SPACE = 32 * 2**20
"""Bytes that a home needs: Prefect's new database takes 5 MB with its journal, and every process writes a log."""
UNKNOWN_REVISION = "Can't locate revision"
"""What Alembic says of a database whose tables are those of a Prefect that came later."""


def prepare(config: Settings) -> None:
    """Make the folders of a home; InputError when nothing can be written there, or next to nothing."""
    try:
        for folder in (config.run_folder, config.prefect_home):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as trial:
                trial.write(b"?")
    except OSError as error:
        raise InputError(
            f"Régie cannot write in its home {config.home}: {error.strerror}. Make room or make it writable, or choose "
            "another folder: REGIE_HOME=FOLDER"
        ) from error
    if is_full(config.home):
        raise InputError(
            f"The disk of Régie's home {config.home} is full: {_megabytes(config.home)} MB are left, and to start it "
            f"takes {SPACE >> 20} MB. Make room, or choose another folder: REGIE_HOME=FOLDER"
        )


def is_full(home: Path) -> bool:
    """Whether a home has too little space left to work in."""
    try:
        return shutil.disk_usage(home).free < SPACE
    except OSError:  # a disk that is away for a moment
        return False


def _megabytes(home: Path) -> int:
    return shutil.disk_usage(home).free >> 20


def trouble_with(database: Path, said: str) -> str:
    """Return what is wrong with the database file of a server that did not start, and said this; else nothing."""
    aside = f"Régie leaves it as it is. To begin without its runs, move it aside: mv '{database}' '{database}.aside'"
    if UNKNOWN_REVISION in said:
        return (
            f"The database {database} was made by a newer release of Prefect than the one that is installed. Use the "
            f"release of Régie that it was made with. {aside}"
        )
    if not database.exists():
        return ""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=1)) as opened:
            [found] = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        return f"The database {database} cannot be used: {error}."
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found == "ok":
        return ""
    return f"The database {database} is damaged ({found}). Put a copy of it back if there is one. {aside}"
