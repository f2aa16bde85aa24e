"""Locks on files, and the disks that have none."""

import errno
import fcntl
from typing import IO

_NO_LOCKS = frozenset({errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS})


def lock(file: IO[str], how: int) -> bool:
    """Lock a file as `flock` does; False where the file system has no locks, as some network shares.

    BlockingIOError when somebody else has it and `how` says not to wait.
    """
    try:
        fcntl.flock(file, how)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
