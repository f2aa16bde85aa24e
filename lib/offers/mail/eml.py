"""A folder of `.eml` files: all are unread, and those that were imported are moved into a folder of their own."""

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib.errors import UnavailableError
from lib.offers.mail.base import MessageGoneError
from lib.offers.mail.files import BEGINNING, digest_of, move, open_message, quoted, read_message, unquoted, unwritable
from lib.offers.mail.found import Found, Unreadable
from lib.offers.mail.heading import read_heading

SUFFIX = ".eml"


class EmlFolder:
    """The `.eml` files of one folder, not of those in it."""

    def __init__(self, folder: Path, moved_to: str) -> None:
        self.folder = folder
        self.target = folder / moved_to

    def unread(self) -> Iterator[Found | Unreadable]:
        """Give the heads of all its messages."""
        for path in (Path(entry) for entry in os.scandir(self.folder) if is_eml(entry)):
            try:
                with open_message(path) as stream:
                    beginning, size = stream.read(BEGINNING), os.fstat(stream.fileno()).st_size
                    stream.seek(0)
                    heading = read_heading(stream)
            except OSError as error:
                yield Unreadable(path, error)
            else:
                yield Found(f"{digest_of(beginning, size)}/{quoted(path.name)}", heading, size)

    def read(self, key: str, limit: int) -> bytes:
        """Return a message; MessageGoneError when it is no longer there, or another one of the same name is."""
        digest, _, name = key.partition("/")
        content = read_message(self.folder / unquoted(name), limit)
        if digest_of(content, len(content)) != digest:
            raise MessageGoneError(name)
        return content

    def handled(self, keys: Sequence[str]) -> None:
        """Move messages; one whose name is taken gets another."""
        for key in keys:
            path = self.folder / unquoted(key.partition("/")[2])
            if self._is(key, path):
                try:
                    self.target.mkdir(parents=True, exist_ok=True)
                    if not self.target.resolve().is_relative_to(self.folder.resolve()):
                        raise UnavailableError(f"{self.target} leads out of {self.folder}: name another folder.")
                    move(path, (self.target / each for each in _names(path)))
                except FileNotFoundError:
                    continue
                except OSError as error:
                    raise unwritable(self.target, error) from None

    def _is(self, key: str, path: Path) -> bool:
        try:
            with open_message(path) as stream:
                size = os.fstat(stream.fileno()).st_size
                return digest_of(stream.read(BEGINNING), size) == key.partition("/")[0]
        except OSError:
            return False


def is_eml(entry: "os.DirEntry[str]") -> bool:
    """Whether something in a folder is a message."""
    return entry.name.lower().endswith(SUFFIX) and entry.is_file(follow_symlinks=False)


def _names(path: Path) -> Iterator[str]:
    yield path.name
    for number in itertools.count(2):
        yield f"{path.stem}-{number}{path.suffix}"
