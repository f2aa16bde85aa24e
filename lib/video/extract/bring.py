"""Files of the user brought into a project without touching them: linked where that is possible, else copied."""

import errno
import os
from pathlib import Path

from lib.files import replacing
from lib.progress import Progress

COPY_BYTES = 4 << 20
_NO_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
)
"""Another disk, or a file system or a system that does not link (this file)."""


def link_or_copy(file: Path, target: Path, progress: Progress) -> bool:
    """Bring `file` to `target`, over what is there; return whether it is a hard link to the same data.

    A copy has the time of its original. Progress is in bytes.
    """
    size = file.stat().st_size
    with replacing(target) as temporary:
        try:
            # A link to a symbolic link would be one: the file that it stands for is meant.
            os.link(file.resolve(), temporary)
            linked = True
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            _copy(file, temporary, size, progress)
            linked = False
    progress(size, size, file.name)
    return linked


def _copy(file: Path, target: Path, size: int, progress: Progress) -> None:
    with file.open("rb") as source, target.open("xb") as copy:
        while chunk := source.read(COPY_BYTES):
            copy.write(chunk)
            progress(copy.tell(), size, file.name)
        status = os.fstat(source.fileno())
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
