"""Files that are either the old one or the new one, whatever happens."""

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
import shutil
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


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target` that becomes `target` when the block ends well and is removed otherwise.

    `target` must not exist, or be an empty folder: OSError otherwise. As with `replacing`, the data is on the disk
    before the move, and what a killed process leaves is found by `sweep`.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(errno.EEXIST, "There is something in that folder already", str(target))
    temporary = target.parent / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
    temporary.mkdir()
    try:
        yield temporary
        _flush(temporary)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def is_temporary(path: Path) -> bool:
    """Whether `path` has the name of a temporary file or folder of Régie."""
    return path.name.startswith(".") and TEMPORARY_SUFFIX in path.name


def sweep(folder: Path) -> int:
    """Remove the temporary files and folders that killed processes left anywhere below `folder`; return how many.

    Only the owner of the folder calls it: a temporary file that is being written would be lost too.
    """
    stale = [path for path in folder.rglob(f".*{TEMPORARY_SUFFIX}*") if is_temporary(path)]
    for path in stale:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(stale)


def remove(path: Path, top: Path) -> None:
    """Remove a file, and the folders below `top` that are empty without it."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for folder in itertools.takewhile(lambda each: each != top, path.parents):
            folder.rmdir()


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's content, read as a stream."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(folder: Path, single_at_most: int = 1000) -> None:
    """Bring every file below `folder` to the disk: one by one, or all at once where there are many."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    if len(files) > single_at_most:
        os.sync()
        return
    for path in files:
        with path.open("rb") as written:
            os.fsync(written.fileno())
