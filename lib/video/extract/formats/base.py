"""What every archive format offers: its members in one pass, each with its bytes."""

import contextlib
import errno
import lzma
import struct
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import zstandard

from lib.errors import InputError

CHUNK_BYTES = 1 << 20
HEAD_BYTES = 512
"""What a format is recognised from."""

DAMAGED = "The archive is truncated or damaged. Get it again, from its sender or by a new download."
ENCRYPTED = "The archive is encrypted. Unpack it yourself with its password, or ask for one without."


class TooManyMembersError(InputError):
    """The archive has more members than are allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The archive holds more than {limit:,} members. If that is right, raise max_members in the options."
        )


class Kind(StrEnum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARDLINK = "hard link"
    DEVICE = "device"
    SPARSE = "sparse file"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive, as the archive describes it: nothing of it is to be believed."""

    name: str
    kind: Kind
    size: int
    """The unpacked size that the archive declares."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member and the way to its content."""

    member: Member
    chunks: Iterator[bytes]
    """The content. Once the next entry is asked for it cannot be read any more."""
    packed: Callable[[], int]
    """How many bytes of the archive its content has used, as far as it has been read."""
    skippable: bool = True
    """Whether the next entry can be reached without unpacking this one."""


class Archive(ABC):
    """An open archive of at most `max_members`.

    InputError, from any of its functions, when it is encrypted, truncated or damaged.
    """

    suffixes: ClassVar[tuple[str, ...]]
    """The usual endings of its name; recognising it does not look at them."""

    def __init__(self, path: Path, max_members: int) -> None:
        self.path = path
        self.max_members = max_members

    def check_count(self, count: int) -> None:
        """Raise TooManyMembersError when `count` is over the limit."""
        if count > self.max_members:
            raise TooManyMembersError(self.max_members)

    @staticmethod
    @abstractmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Whether the file's content is of this format; `head` is its first 512 bytes."""

    @property
    def volumes(self) -> tuple[Path, ...]:
        """The files that the archive consists of."""
        return (self.path,)

    @property
    @abstractmethod
    def total(self) -> int:
        """The work of unpacking everything, in bytes."""

    @property
    @abstractmethod
    def position(self) -> int:
        """How much of `total` is done."""

    @abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Give the members in their order, once."""

    @abstractmethod
    def close(self) -> None:
        """Release what is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextlib.contextmanager
def telling_damage() -> Iterator[None]:
    """Turn what the decoders raise on a bad archive into InputError."""
    try:
        yield
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, zstandard.ZstdError, struct.error, EOFError,
    ) as error:  # fmt: skip
        raise InputError(DAMAGED) from error
    except OSError as error:
        # gzip and bz2 raise OSError without a number for bad content, and zipfile seeks to where a bad offset sends it;
        # any other number is the system's.
        if error.errno in {None, errno.EINVAL}:
            raise InputError(DAMAGED) from error
        raise
