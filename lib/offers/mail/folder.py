"""A folder or file of messages on this machine: `.eml` files, mbox files, Maildirs, or a folder that holds several."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from lib.errors import InputError, UnavailableError
from lib.offers.mail.base import Doubt, Envelope, MessageGoneError
from lib.offers.mail.eml import EmlFolder, is_eml
from lib.offers.mail.files import quoted, unquoted, why
from lib.offers.mail.found import Kind, Unreadable
from lib.offers.mail.judging import SourceOf, judge, known_sources, oldest_first
from lib.offers.mail.maildir import Maildir, is_maildir
from lib.offers.mail.mbox import Mbox, is_mbox
from lib.offers.mail.options import MailOptions

DEPTH = 6
"""Folders within folders that are looked into. Links are followed nowhere, and hidden ones left out."""


class FolderMailbox:
    """Messages on this machine; raises InputError when there is nothing at the path that could hold any."""

    def __init__(self, path: Path, options: MailOptions, source_of: SourceOf = known_sources) -> None:
        self.path = path.resolve()
        self.doubts: list[Doubt] = []
        self._options = options
        self._source_of = source_of
        self._kinds: dict[str, Kind] = {}
        moved_to = PurePosixPath(options.moved_to)
        if moved_to.is_absolute() or {"..", "."} & {*moved_to.parts, str(moved_to)}:
            raise InputError(
                f"Imported messages cannot be moved to {options.moved_to!r}: give the name of a folder in it."
            )
        self._moved_to = moved_to.parts
        try:
            if self.path.is_file() and not (self.path.stat().st_size == 0 or is_mbox(self.path)):
                raise InputError("It is no mbox file: give one, a Maildir, or a folder of .eml files.")
            if not self.path.exists():
                raise InputError("There is no such folder or file.")
            if not (self.path.is_file() or self.path.is_dir()):
                raise InputError("It is neither a folder nor a file.")
        except OSError as error:
            raise InputError(f"It cannot be read: {why(error)}.") from None

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def audit(self) -> list[Envelope]:
        """Read the heads of all unread messages; what cannot be read is named in `doubts`."""
        self.doubts, self._kinds, envelopes = [], {}, []
        try:
            self.path.stat()
            for path in self._places(self.path, 0):
                place = self._place(path)
                self._kinds[place] = self._kind(path)
                for judged in self._judged(place, path):
                    if isinstance(judged, Doubt):
                        self.doubts.append(judged)
                    else:
                        envelopes.append(judged)
        except OSError as error:
            raise UnavailableError(f"{self.path} cannot be read: {why(error)}.") from None
        return oldest_first(envelopes)

    def fetch(self, envelope: Envelope) -> bytes:
        """Read a message as it was sent."""
        kind, key = self._of(envelope)
        if kind is None:
            raise MessageGoneError(envelope.id)
        return kind.read(key, int(self._options.message_limit_mb * 1e6))

    def handled(self, envelopes: Sequence[Envelope]) -> None:
        """Mark messages as read in the way of the folder or file that they are in; `.eml` files are moved."""
        kinds: dict[str, tuple[Kind, list[str]]] = {}
        for envelope in envelopes:
            kind, key = self._of(envelope)
            if kind is not None:
                kinds.setdefault(envelope.id.partition("#")[0], (kind, []))[1].append(key)
        for kind, keys in kinds.values():
            kind.handled(keys)

    def close(self) -> None:
        """Nothing is held open."""

    def _judged(self, place: str, path: Path) -> Iterator[Envelope | Doubt]:
        try:
            for found in self._kinds[place].unread():
                if isinstance(found, Unreadable):
                    yield self._unreadable(found.path, found.error)
                elif judged := judge(f"{place}#{found.key}", found.heading, found.size, self._source_of):
                    yield judged
        except FileNotFoundError:
            return
        except OSError as error:
            yield self._unreadable(path, error)

    def _unreadable(self, path: Path, error: OSError) -> Doubt:
        return Doubt(self._shown(path), f"it cannot be read: {why(error)}")

    def _places(self, path: Path, depth: int) -> Iterator[Path]:
        """Give the folders and files that hold messages, from a folder or file on."""
        folders, files, messages = [], [], False
        try:
            if not path.is_dir() or is_maildir(path):
                yield path
                return
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if is_eml(entry):
                        messages = True
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        files.append(Path(entry.path))
        except OSError as error:
            if depth == 0:
                raise
            self.doubts.append(self._unreadable(path, error))
        if messages:
            yield path
        yield from (each for each in sorted(files) if self._is_mbox(each))
        for each in sorted(folders):
            if depth < DEPTH and each.parts[-len(self._moved_to) :] != self._moved_to:
                yield from self._places(each, depth + 1)

    def _is_mbox(self, path: Path) -> bool:
        try:
            return is_mbox(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            self.doubts.append(self._unreadable(path, error))
            return False

    def _kind(self, path: Path) -> Kind:
        if path.is_dir():
            return Maildir(path) if is_maildir(path) else EmlFolder(path, self._options.moved_to)
        return Mbox(path)

    def _of(self, envelope: Envelope) -> tuple[Kind | None, str]:
        """Return where a message is, also one of an audit that another process made."""
        place, _, key = envelope.id.partition("#")
        if place not in self._kinds:
            path = (self.path / unquoted(place)).resolve()
            if not path.is_relative_to(self.path) or not path.exists():
                return None, key
            self._kinds[place] = self._kind(path)
        return self._kinds[place], key

    def _place(self, path: Path) -> str:
        return quoted(path.relative_to(self.path))

    def _shown(self, path: Path) -> str:
        return os.fsencode(path.name if path == self.path else path.relative_to(self.path)).decode(errors="replace")
