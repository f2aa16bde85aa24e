"""A finished project, copied to where it is used."""

import contextlib
import errno
import filecmp
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.errors import InputError
from lib.files import replacing, sweep
from lib.progress import Progress, silent
from lib.video.disk import explained
from lib.video.finalise.check import PHASES, Problem, Trouble, check_results
from lib.video.finalise.options import FinaliseOptions
from lib.video.results import Results, find_videos
from lib.video.tables import FOLDER, NAMES

CHUNK_BYTES = 8 << 20
OF_THE_PROJECT = ("report.html", *(f"{FOLDER}/{name}" for name in NAMES))
"""Files of the project itself that are copied with it."""
_NO_FAST_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM, errno.EIO}
_BAD_NAME = {errno.EINVAL, errno.ENAMETOOLONG, errno.EILSEQ}


@dataclass(frozen=True)
class Published:
    """What `publish` did."""

    folder: Path
    """Where the project is now."""
    copied: tuple[Path, ...]
    """What was written, below `folder`."""
    kept: int
    """How many files were there already."""
    total_bytes: int
    """Of all files, copied or there already."""
    problems: Mapping[Path, tuple[Problem, ...]]
    """What is wrong with the videos, by video of the project; the others are whole."""


def publish(
    project: Path,
    output: Path,
    options: FinaliseOptions,
    progress: Progress = silent,
    required: Collection[str] = frozenset(PHASES),
) -> Published:
    """Copy the videos of a project and what is beside them to `<output>/<project's name>/`, in the same layout.

    A file that is there already is not copied again, so that a second run goes on where the first ended; nothing is
    removed but temporary files. A video whose results are missing or damaged is copied with what there is, and named.
    Progress counts bytes. Raises InputError when the output cannot be written.
    """
    folder = output / project.name
    if folder.resolve().is_relative_to(project.resolve()) or project.resolve().is_relative_to(folder.resolve()):
        raise InputError("The output folder lies in the project, or the project in it: give another output folder.")
    problems: dict[Path, tuple[Problem, ...]] = {}
    copied: list[Path] = []
    with explained():
        sweep(project)
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        for video in find_videos(project):
            if found := check_results(video, required):
                problems[video] = tuple(found)
        files = list(_files(project, options))
        total, done = sum(path.stat().st_size for path, _ in files), 0
        for path, video in files:
            name = path.relative_to(project)
            try:
                if _copy(path, folder / name, options, _after(done, total, str(name), progress)):
                    copied.append(folder / name)
            except OSError as error:
                if error.errno not in _BAD_NAME:
                    raise
                message = f"The output disk does not take the name {name.name!r}: rename the video and run again."
                problems[video] = (*problems.get(video, ()), Problem(Trouble.NAME, "", message))
            done += path.stat().st_size
            progress(done, total, str(name))
    return Published(folder, tuple(copied), len(files) - len(copied), total, problems)


def results_beside(video: Path) -> Iterator[Path]:
    """Yield the files that phases made beside a video."""
    return (path for path in Results(video).every() if path.is_file())


def _files(project: Path, options: FinaliseOptions) -> Iterator[tuple[Path, Path]]:
    """Yield each file to copy, with the video it belongs to: small files first, they are what is looked at."""
    videos = find_videos(project)
    for name in OF_THE_PROJECT:
        if (project / name).is_file():
            yield project / name, project
    for video in videos:
        yield from ((path, video) for path in results_beside(video))
    for video in videos if options.videos else ():
        yield video, video


def _after(done: int, total: int, item: str, progress: Progress) -> Callable[[int], None]:
    return lambda written: progress(min(done + written, total), total, item)


def _copy(source: Path, target: Path, options: FinaliseOptions, moved: Callable[[int], None]) -> bool:
    """Copy or link a file unless it is there; return whether it was written."""
    if _is_there(source, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        if not (options.hard_links and _link(source, temporary)):
            _copy_content(source, temporary, moved)
            facts = source.stat()
            with contextlib.suppress(OSError):  # a disk that keeps no times: the next run compares the content
                os.utime(temporary, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return True


def _is_there(source: Path, target: Path) -> bool:
    try:
        there = target.stat()
    except FileNotFoundError:
        return False
    facts = source.stat()
    if (facts.st_dev, facts.st_ino) == (there.st_dev, there.st_ino):
        return True
    if facts.st_size != there.st_size:
        return False
    return facts.st_mtime_ns == there.st_mtime_ns or filecmp.cmp(source, target, shallow=False)


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False  # another disk, or one without links: copied instead
    return True


def _copy_content(source: Path, target: Path, moved: Callable[[int], None]) -> None:
    """Copy a file's content in pieces; within one disk that knows how, its blocks are shared instead."""
    with source.open("rb") as reading, target.open("wb") as writing:
        done, fast = 0, hasattr(os, "copy_file_range")
        while True:
            if fast:
                try:
                    count = os.copy_file_range(reading.fileno(), writing.fileno(), CHUNK_BYTES, done, done)
                except OSError as error:
                    if error.errno not in _NO_FAST_COPY:
                        raise
                    count, fast = 0, False
            if not fast or (count == 0 and done == 0):  # some file systems say 0 for files that they make up
                fast = False
                reading.seek(done)
                writing.seek(done)
                piece = reading.read(CHUNK_BYTES)
                writing.write(piece)
                count = len(piece)
            if count == 0:
                return
            done += count
            moved(done)
