"""Files with messages: read with a bound, named, moved without ever putting one in another's place."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_from_bytes, unquote_to_bytes

from lib.errors import InputError, UnavailableError
from lib.offers.mail.base import MessageGoneError

BEGINNING = 16 * 1024
"""Bytes of a message that tell it from others, with its size."""


def open_message(path: Path) -> BinaryIO:
    """Open a file for reading; OSError otherwise. A link, a pipe or a device in its place is as good as no file."""
    try:
        stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    except OSError as error:
        raise FileNotFoundError(path) if error.errno == errno.ELOOP else error from None
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise FileNotFoundError(path)
    return stream


def read_message(path: Path, limit: int) -> bytes:
    """Return the content of a file; MessageGoneError when it is not there, InputError when it is too large."""
    try:
        with open_message(path) as stream:
            return bounded(stream.read(limit + 1), limit)
    except FileNotFoundError:
        raise MessageGoneError(path.name) from None
    except OSError as error:
        raise InputError(f"It cannot be read: {why(error)}.") from None


def bounded(content: bytes, limit: int, size: int = 0) -> bytes:
    """Return a message as it is; InputError when it, or what is known of its size, is above the limit."""
    if max(len(content), size) > limit:
        found = max(len(content), size) / 1e6
        raise InputError(f"It has {found:.1f} MB or more: the limit is {limit / 1e6:g} (`mail.message_limit_mb`).")
    return content


def digest_of(beginning: bytes, size: int) -> str:
    """Return what tells a message from another in its place."""
    return hashlib.sha256(beginning[:BEGINNING] + b"|%d" % size).hexdigest()[:16]


def quoted(path: str | Path) -> str:
    """Return a path as text that is safe anywhere, whatever bytes are in it."""
    return quote_from_bytes(os.fsencode(path), safe="/ ~,=@!")


def unquoted(text: str) -> str:
    """Return the path that `quoted` was given."""
    return os.fsdecode(unquote_to_bytes(text))


def move(source: Path, targets: Iterable[Path]) -> None:
    """Move a file to the first of the paths that is free; it is always at one of the two places.

    The name is taken by an empty file first, which nobody else then gets: a rename by itself would overwrite.
    """
    for target in targets:
        try:
            target.open("xb").close()
        except FileExistsError:
            continue
        try:
            source.replace(target)
        except BaseException:
            target.unlink()
            raise
        return


def unwritable(folder: Path, error: OSError) -> UnavailableError:
    """Return what is said where messages cannot be marked as imported."""
    return UnavailableError(f"{folder} cannot be written to ({why(error)}): imported messages stay in it as unread.")


def why(error: OSError) -> str:
    """Return what is wrong, in the system's words."""
    return error.strerror or type(error).__name__
