"""TAR, plain or compressed, read as a stream.

tarfile only reads the single header block: its own loop trusts headers with memory, time and the stack (a header of
ones takes seconds in its regular expressions, a chain of headers exhausts the stack), and its filters do not matter.
"""

import bz2
import functools
import gzip
import itertools
import lzma
import tarfile
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, ClassVar, cast

import zstandard

from lib.errors import InputError
from lib.video.extract.formats.base import CHUNK_BYTES, DAMAGED, Archive, Entry, Kind, Member, telling_damage
from lib.video.extract.names import decode_name

BLOCK = tarfile.BLOCKSIZE
HEADER_BYTES = 1 << 20
"""The most that the extended headers of one member may hold: a path has a few kilobytes."""
READ_AHEAD = 1 << 18
"""How far the decompressors read ahead at most: what a member has used is known to that."""

_ZERO = b"\0" * BLOCK
_OLD_SPARSE = b"S"
_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.DIRTYPE: Kind.FOLDER,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
    _OLD_SPARSE: Kind.SPARSE,
}


def _opened(raw: BufferedReader, head: bytes) -> IO[bytes] | None:
    """Return the decompressed stream; None when the file is not compressed."""
    if head.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    if head.startswith(b"BZh"):
        return cast(IO[bytes], bz2.BZ2File(raw))
    if head.startswith(b"\xfd7zXZ\0"):
        return cast(IO[bytes], lzma.LZMAFile(raw))
    if head.startswith((b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18")):
        return cast(IO[bytes], zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))
    return None


class TarArchive(Archive):
    """A TAR archive: members come in one pass, those that are not wanted are read past."""

    suffixes: ClassVar = (
        ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.zstd",
        ".tgz", ".tbz2", ".tbz", ".txz", ".tzst", ".tar",
    )  # fmt: skip

    def __init__(self, path: Path, max_members: int) -> None:
        super().__init__(path, max_members)
        self._raw = path.open("rb")
        unpacked = _opened(self._raw, self._raw.peek(16))
        self._plain = unpacked is None
        self._stream: IO[bytes] = unpacked or self._raw
        self._size = path.stat().st_size
        self._globals: dict[str, bytes] = {}

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Whether the file, or what it unpacks to, begins with a header block of TAR."""
        with path.open("rb") as raw:
            unpacked = _opened(raw, head)
            if unpacked is None:
                return _is_header(head)
            try:
                with telling_damage():
                    start = unpacked.read(BLOCK)
            except InputError:
                return path.name.lower().endswith(TarArchive.suffixes)
            return (
                start == _ZERO or _is_header(start) or (not start and path.name.lower().endswith(TarArchive.suffixes))
            )

    @property
    def total(self) -> int:
        """The size of the archive itself: nobody knows what it unpacks to before its end."""
        return self._size

    @property
    def position(self) -> int:
        """How much of the archive has been read."""
        return self._raw.tell()

    def entries(self) -> Iterator[Entry]:
        """Give the members as they come."""
        for count in itertools.count(1):
            with telling_damage():
                header = self._header()
            if header is None:
                break
            self.check_count(count)
            member, stored = header
            left = _Left(stored)
            used = functools.partial(self._used, self.position, stored)
            yield Entry(member, self._content(left), used, skippable=self._plain)
            with telling_damage():
                self._skip(left.bytes + -stored % BLOCK)
        with telling_damage():
            self._finish()

    def _used(self, start: int, stored: int) -> int:
        return stored if self._plain else self.position - start + READ_AHEAD

    def _content(self, left: "_Left") -> Iterator[bytes]:
        while left.bytes:
            with telling_damage():
                chunk = self._stream.read(min(CHUNK_BYTES, left.bytes))
            if not chunk:
                raise InputError(DAMAGED)
            left.bytes -= len(chunk)
            yield chunk

    def _header(self) -> tuple[Member, int] | None:
        """Return the next member and its stored size, with what extended headers say of it; None at the end mark."""
        extended: dict[str, bytes] = {}
        budget = HEADER_BYTES
        while True:
            block = self._exactly(BLOCK)
            if block == _ZERO:
                return None
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if info.size < 0:
                raise InputError(DAMAGED)
            if info.type not in _EXTENDED:
                return self._member(info, block, self._globals | extended)
            budget -= info.size + BLOCK
            if budget < 0:
                raise InputError(DAMAGED)
            data = self._exactly(info.size + -info.size % BLOCK)[: info.size]
            if info.type in {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}:
                extended |= _records(data)
            elif info.type == tarfile.XGLTYPE:
                self._globals |= _records(data)
            elif info.type == tarfile.GNUTYPE_LONGNAME:
                extended["path"] = data.rstrip(b"\0")

    def _member(self, info: tarfile.TarInfo, block: bytes, extended: dict[str, bytes]) -> tuple[Member, int]:
        raw = extended.get("GNU.sparse.name") or extended.get("path") or info.name.encode("utf-8", "surrogateescape")
        name = decode_name(raw)
        kind = _KINDS.get(info.type, Kind.DEVICE)
        if info.type == tarfile.AREGTYPE and name.endswith("/"):
            kind = Kind.FOLDER
        if any(key.startswith("GNU.sparse.") for key in extended):
            kind = Kind.SPARSE
        size = info.size
        if "size" in extended:
            if not extended["size"].isdigit() or len(extended["size"]) > 20:
                raise InputError(DAMAGED)
            size = int(extended["size"])
        if info.type == _OLD_SPARSE:
            more = bool(block[482])
            while more:
                more = bool(self._exactly(BLOCK)[504])
        # Only these kinds have content behind the header, whatever size it gives (as GNU tar and tarfile read it).
        stored = 0 if info.type in _WITHOUT_CONTENT else size
        return Member(name, kind, stored), stored

    def _exactly(self, count: int) -> bytes:
        data = self._stream.read(count)
        while len(data) < count:
            more = self._stream.read(count - len(data))
            if not more:
                raise InputError(DAMAGED)
            data += more
        return data

    def _skip(self, count: int) -> None:
        if self._plain:
            if self._raw.tell() + count > self._size:
                raise InputError(DAMAGED)
            self._raw.seek(count, 1)
            return
        while count:
            count -= len(self._exactly(min(count, CHUNK_BYTES)))

    def _finish(self) -> None:
        """Read the padding after the end mark, so that the check sum of the compressed stream is checked too."""
        for _ in range(16):
            if not self._stream.read(CHUNK_BYTES):
                return

    def close(self) -> None:
        """Close the streams."""
        self._stream.close()
        self._raw.close()


_EXTENDED = frozenset(
    {
        tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.XGLTYPE,
        tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
    }
)  # fmt: skip
_WITHOUT_CONTENT = frozenset(
    {
        tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE,
        tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
    }
)  # fmt: skip


class _Left:
    """How many bytes of a member have not been read."""

    def __init__(self, count: int) -> None:
        self.bytes = count


def _is_header(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _records(data: bytes) -> dict[str, bytes]:
    """Return the records of an extended header: "<length> <key>=<value>\\n", the length counting all of it."""
    records: dict[str, bytes] = {}
    at = 0
    while at < len(data) and data[at] != 0:
        blank = data.find(b" ", at, at + 20)
        if blank < 0 or not data[at:blank].isdigit():
            raise InputError(DAMAGED)
        end = at + int(data[at:blank])
        key, equals, value = data[blank + 1 : end - 1].partition(b"=")
        if not equals or not blank < end - 1 < len(data):
            raise InputError(DAMAGED)
        records[key.decode("utf-8", "replace")] = value
        at = end
    return records
