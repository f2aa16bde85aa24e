"""Results kept by what made them, so that the same film is analysed once whatever its name and project."""

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import zstandard

from lib.files import TEMPORARY_SUFFIX
from lib.video.disk import place_all
from lib.video.hashes import HashBook

__all__ = ["Adapt", "HashBook", "ResultCache", "unadapted"]

LEVEL = 3
"""zstd's default: analysis files shrink to a tenth at some hundred megabytes a second."""
ABANDONED_SECONDS = 24 * 3600
"""A temporary folder of this age belongs to a process that was killed."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16,128}")

Adapt = Callable[[Path, Path], None]


def unadapted(temporary: Path, target: Path) -> None:
    """Place a file as it was remembered."""


@dataclass(frozen=True)
class ResultCache:
    """A folder of results by fingerprint; several processes may use it at once, and it can be deleted at any time.

    An entry is a folder named after the fingerprint with one compressed file per output, numbered by its position: the
    names of videos do not occur. Entries appear whole, by renaming. The least recently used go first when all of them
    together exceed `limit_bytes`.
    """

    root: Path
    limit_bytes: int

    def recall(self, fingerprint: str, outputs: Sequence[Path], adapt: Adapt = unadapted) -> bool:
        """Place the remembered files under the names of `outputs`, all or none; return whether there were any.

        Every file is ready beside its target before the first is moved, and the first output, which says what made
        them, is moved last. `adapt(temporary, target)` may change a file before it is moved. A damaged entry is
        removed.
        """
        entry = self._entry(fingerprint)
        if not entry.is_dir():
            self._count("misses")
            return False

        def write(position: int, temporary: Path) -> None:
            _expand(entry / f"{position}.zst", temporary)
            adapt(temporary, outputs[position])

        try:
            place_all(outputs, write)
        except (_DamagedError, FileNotFoundError):
            self._forget(entry)
            self._count("misses")
            return False
        self._touch(entry)
        self._count("hits")
        return True

    @contextlib.contextmanager
    def opened(self, fingerprint: str, position: int, folder: Path) -> Iterator[Path | None]:
        """Give one remembered file as a temporary one in `folder`, or None when it is not there."""
        entry = self._entry(fingerprint)
        temporary = folder / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
        try:
            try:
                _expand(entry / f"{position}.zst", temporary)
            except FileNotFoundError:
                yield None
            except _DamagedError:
                self._forget(entry)
                yield None
            else:
                self._touch(entry)
                yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def about(self, fingerprint: str) -> dict[str, Any]:
        """Return what was said of the files when they were remembered; nothing when they are not there."""
        try:
            about = orjson.loads((self._entry(fingerprint) / "about.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return about if isinstance(about, dict) else {}

    def remember(self, fingerprint: str, outputs: Sequence[Path], about: Mapping[str, Any] | None = None) -> None:
        """Keep copies of the files under the fingerprint, unless they are kept already; old entries make room.

        `about` is a few words on them, for `about`.
        """
        entry = self._entry(fingerprint)
        if entry.is_dir() or not self.limit_bytes:
            return
        entry.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.root / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
        temporary.mkdir()
        try:
            for position, output in enumerate(outputs):
                _compress(output, temporary / f"{position}.zst")
            (temporary / "about.json").write_bytes(orjson.dumps(dict(about or {})))
            with contextlib.suppress(OSError):  # another process was first: its files say the same
                temporary.rename(entry)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self._evict(spare=entry)

    def size(self) -> int:
        """Return the bytes that all entries take."""
        return sum(size for _, size, _ in self._entries())

    def clear(self) -> None:
        """Forget everything, counters too."""
        for entry, _, _ in self._entries():
            self._forget(entry)
        for name in ("hits", "misses"):
            (self.root / name).unlink(missing_ok=True)

    @property
    def hits(self) -> int:
        """How often something was recalled."""
        return self._counted("hits")

    @property
    def misses(self) -> int:
        """How often nothing was there."""
        return self._counted("misses")

    def _entry(self, fingerprint: str) -> Path:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError("a fingerprint is a hexadecimal digest")
        return self.root / fingerprint[:2] / fingerprint

    def _entries(self) -> Iterator[tuple[Path, int, float]]:
        """Yield entries with their size and the time of their last use."""
        for entry in self.root.glob("[0-9a-f][0-9a-f]/*"):
            with contextlib.suppress(FileNotFoundError):  # another process removed it
                yield entry, sum(path.stat().st_size for path in entry.iterdir()), entry.stat().st_mtime

    def _evict(self, spare: Path) -> None:
        entries = sorted(self._entries(), key=lambda found: found[2])
        excess = sum(size for _, size, _ in entries) - self.limit_bytes
        for entry, size, _ in entries:
            if excess <= 0:
                break
            if entry != spare or size > self.limit_bytes:
                self._forget(entry)
                excess -= size
        for abandoned in self.root.glob(f".*{TEMPORARY_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - abandoned.stat().st_mtime > ABANDONED_SECONDS:
                    shutil.rmtree(abandoned, ignore_errors=True)

    def _forget(self, entry: Path) -> None:
        """Remove an entry: out of sight at once, then for good."""
        aside = self.root / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
        with contextlib.suppress(OSError):  # another process did it
            entry.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)

    def _touch(self, entry: Path) -> None:
        with contextlib.suppress(OSError):
            os.utime(entry)

    def _count(self, name: str) -> None:
        """Count by the length of a file: a byte appended is never lost among processes."""
        with contextlib.suppress(OSError):
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / name).open("ab") as stream:
                stream.write(b".")

    def _counted(self, name: str) -> int:
        try:
            return (self.root / name).stat().st_size
        except FileNotFoundError:
            return 0


class _DamagedError(Exception):
    """A remembered file is not what was written."""


def _compress(source: Path, target: Path) -> None:
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True)
    with source.open("rb") as plain, target.open("wb") as packed:
        compressor.copy_stream(plain, packed, size=source.stat().st_size)
        packed.flush()
        os.fsync(packed.fileno())


def _expand(source: Path, target: Path) -> None:
    """Write the content of a compressed file; its length and checksum are verified."""
    with source.open("rb") as packed, target.open("wb") as plain:
        try:
            expected = zstandard.frame_content_size(packed.read(18))
            packed.seek(0)
            _, written = zstandard.ZstdDecompressor().copy_stream(packed, plain)
        except zstandard.ZstdError as error:
            raise _DamagedError from error
    if written != expected:
        raise _DamagedError
