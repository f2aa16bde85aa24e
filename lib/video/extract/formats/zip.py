"""ZIP, with zipfile; what zipfile cannot unpack is left to 7-Zip (see `recognises`)."""

import functools
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from lib.errors import InputError
from lib.video.extract.formats.base import CHUNK_BYTES, DAMAGED, ENCRYPTED, Archive, Entry, Kind, Member, telling_damage
from lib.video.extract.names import decode_name

METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED_FLAG = 0x1
_UTF8_FLAG = 0x800
_DOS = 0


class ZipArchive(Archive):
    """A ZIP archive; its directory is at its end, so a truncated one is known at once."""

    suffixes: ClassVar = (".zip",)

    def __init__(self, path: Path, max_members: int) -> None:
        super().__init__(path, max_members)
        with telling_damage():
            try:
                self._zip = zipfile.ZipFile(path)
            except (RuntimeError, ValueError) as error:  # a version of the future, names that are not UTF-8
                raise InputError(DAMAGED) from error
        self._infos = self._zip.infolist()
        self._total = sum(info.file_size for info in self._infos)
        self._position = 0
        try:
            self._check()
        except InputError:
            self.close()
            raise

    def _check(self) -> None:
        self.check_count(len(self._infos))
        if any(info.flag_bits & _ENCRYPTED_FLAG for info in self._infos):
            raise InputError(ENCRYPTED)

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Whether it is a ZIP file, whatever it holds; one that cannot be opened is recognised too, to be reported."""
        return head.startswith(_MAGIC)

    @property
    def needs_seven_zip(self) -> bool:
        """Whether a member is packed in a way that zipfile does not know: Deflate64, as Windows packs above 2 GB."""
        return any(info.compress_type not in METHODS for info in self._infos)

    @property
    def total(self) -> int:
        """The unpacked size."""
        return self._total

    @property
    def position(self) -> int:
        """The unpacked bytes so far."""
        return self._position

    def entries(self) -> Iterator[Entry]:
        """Give the members as the directory lists them."""
        for info in self._infos:
            end = self._position + info.file_size
            yield Entry(_member(info), self._chunks(info), functools.partial(getattr, info, "compress_size"))
            self._position = end

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        done = 0
        with telling_damage():
            try:
                opened = self._zip.open(info)
            except (RuntimeError, ValueError) as error:
                raise InputError(DAMAGED) from error
            with opened as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    done += len(chunk)
                    self._position += len(chunk)
                    yield chunk
        if done != info.file_size:
            raise InputError(DAMAGED)

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _member(info: zipfile.ZipInfo) -> Member:
    name = info.orig_filename
    if not info.flag_bits & _UTF8_FLAG:
        # zipfile has decoded it as code page 437, which gives every byte a letter: the way back is without loss.
        name = decode_name(name.encode("cp437"), dos=info.create_system == _DOS)
    return Member(name, _kind(info), info.file_size)


def _kind(info: zipfile.ZipInfo) -> Kind:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return Kind.SYMLINK
    if info.orig_filename.endswith(("/", "\\")) or stat.S_ISDIR(mode):
        return Kind.FOLDER
    if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
        return Kind.DEVICE
    return Kind.FILE
