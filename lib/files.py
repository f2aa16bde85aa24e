"""Files that are either the old one or the new one, whatever happens."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

TEMPORARY_SUFFIX = ".regie-tmp"


@contextlib.contextmanager
def replacing(target: Path, suffix: str = "") -> Iterator[Path]:
    """Give a temporary path beside `target`, which is moved over it when the block ends well and removed otherwise.

    The temporary name is short and its own (a target of 255 bytes works); `suffix` (".mp4") is kept in it for programs
    that look at it. The data is on the disk before the move. A process that is killed leaves the temporary file, which
    `sweep` finds by its name.
    """
    temporary = target.parent / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}{suffix}"
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def is_temporary(path: Path) -> bool:
    """Whether `path` has the name of a temporary file of Régie."""
    return path.name.startswith(".") and TEMPORARY_SUFFIX in path.name


def sweep(folder: Path) -> int:
    """Remove the temporary files that killed processes left anywhere below `folder`; return how many.

    Only the owner of the folder calls it: a temporary file that is being written would be lost too.
    """
    stale = [path for path in folder.rglob(f".*{TEMPORARY_SUFFIX}*") if is_temporary(path) and path.is_file()]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's content, read as a stream."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
