"""A Maildir: what is in `new`, or in `cur` without the flag S, is unread."""

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib.offers.mail.base import MessageGoneError
from lib.offers.mail.files import move, open_message, quoted, read_message, unquoted, unwritable
from lib.offers.mail.found import Found, Unreadable
from lib.offers.mail.heading import read_heading

FOLDERS = ("cur", "new", "tmp")
INFO = ":2,"
"""What parts the name of a message, which stays, from its flags."""


def is_maildir(folder: Path) -> bool:
    """Whether a folder is a Maildir."""
    return all((folder / each).is_dir() for each in FOLDERS)


class Maildir:
    """The messages of one Maildir, not of the folders in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._paths: dict[str, Path] = {}

    def unread(self) -> Iterator[Found | Unreadable]:
        """Give the heads of the messages without the flags S (seen) and T (to be deleted)."""
        self._look()
        for name, path in self._paths.items():
            if {"S", "T"} & set(_flags(path)):
                continue
            try:
                with open_message(path) as stream:
                    heading, size = read_heading(stream), os.fstat(stream.fileno()).st_size
            except OSError as error:
                yield Unreadable(path, error)
            else:
                yield Found(quoted(name), heading, size)

    def read(self, key: str, limit: int) -> bytes:
        """Return a message, whatever flags it has by now."""
        path = self._find(key)
        if path is None:
            raise MessageGoneError(key)
        return read_message(path, limit)

    def handled(self, keys: Sequence[str]) -> None:
        """Give messages the flag S, and move those that are in `new` to `cur`."""
        for key in keys:
            if (path := self._find(key)) is None:
                continue
            name, flags = unquoted(key), "".join(sorted({*_flags(path), "S"}))
            target = self.folder / "cur" / f"{name}{INFO}{flags}"
            if path == target:
                continue
            others = (target.with_name(f"{name}_{number}{INFO}{flags}") for number in itertools.count(2))
            try:
                move(path, itertools.chain([target], others))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise unwritable(self.folder, error) from None
            self._paths[name] = target

    def _find(self, key: str) -> Path | None:
        """Return where a message is now: another program may have given it flags."""
        name = unquoted(key)
        if name not in self._paths or not self._paths[name].exists():
            self._look()
        return self._paths.get(name)

    def _look(self) -> None:
        paths = {}
        for folder in ("new", "cur"):
            for entry in os.scandir(self.folder / folder):
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    paths[entry.name.partition(INFO)[0]] = Path(entry.path)
        self._paths = paths


def _flags(path: Path) -> str:
    return path.name.partition(INFO)[2] if path.parent.name == "cur" else ""
