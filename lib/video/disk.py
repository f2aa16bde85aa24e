"""What a disk does to writers: it refuses, it is full, or it holds the same already."""

import contextlib
import errno
import filecmp
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, replacing

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space on it and run again",
    errno.EDQUOT: "The disk quota is used up: free some space and run again",
    errno.EROFS: "The disk is read-only: give a folder that can be written",
    errno.EACCES: "The folder may not be written: change its permissions or give another one",
    errno.EPERM: "The folder may not be written: change its permissions or give another one",
    errno.EFBIG: "The file is too large for that disk: give a folder on another one",
}


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what a disk refuses into an InputError that says what to do; other errors pass."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0)
        if advice is None:
            raise
        raise InputError(f"{advice}.") from error


def place_all(targets: Sequence[Path], write: Callable[[int, Path], None]) -> None:
    """Write files all together: `write(position, temporary)` makes each beside its target before the first is moved.

    The first target is moved last. When one cannot be written, none is moved.
    """
    with contextlib.ExitStack() as stack:
        for position, target in enumerate(targets):
            write(position, stack.enter_context(replacing(target)))


class Draft:
    """A file that is being written, to take the place of `target` if it differs."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.parent / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
        self.dropped = False
        """Set it to leave `target` as it is."""
        self.changed = False
        """Whether `target` was replaced; known after the block."""

    def same(self) -> bool:
        """Whether `target` has the content written so far."""
        return self.target.exists() and filecmp.cmp(self.path, self.target, shallow=False)


@contextlib.contextmanager
def replacing_if_changed(target: Path) -> Iterator[Draft]:
    """Give a draft that replaces `target` as `replacing` does, unless `target` has the same content already."""
    draft = Draft(target)
    try:
        yield draft
        if not draft.dropped and not draft.same():
            with replacing(target) as temporary:
                draft.path.replace(temporary)
            draft.changed = True
    finally:
        draft.path.unlink(missing_ok=True)
