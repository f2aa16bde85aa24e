"""Putting a converted video in the place of its original, so that a kill at any instant loses neither."""

import contextlib
import filecmp
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from lib.files import TEMPORARY_SUFFIX, replacing
from lib.video.results import ORIGINALS

LONGEST_NAME = 255


@contextlib.contextmanager
def temporary_beside(video: Path, suffix: str) -> Iterator[Path]:
    """Give a path beside a video for what will take its place; a file that is still there when the block ends goes."""
    temporary = video.with_name(f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}{suffix}")
    try:
        yield temporary
    finally:
        # A read-only file system refuses this also where there is nothing to remove.
        with contextlib.suppress(OSError):
            temporary.unlink()


def put_in_place(converted: Path, video: Path, suffix: str, keep: bool) -> tuple[Path, Path | None]:
    """Move `converted` to where `video` is, under `suffix`; return its path and the original's, None when not kept.

    The steps are: the original gets a second name in `originals/`; the converted file moves into place; where its name
    is another (x.avi, x.mp4), the original's first name goes. A run after a kill between two steps finds what is there
    already by its content, and ends in the same state. No file that is there is overwritten but `video`, and `video`
    only by a move: its bytes may be shared with a hard link elsewhere.
    """
    with converted.open("rb") as written:
        os.fsync(written.fileno())
    original = _keep(video) if keep else None
    if suffix == video.suffix:
        converted.replace(video)
        return video, original
    target = _publish(converted, video, suffix)
    video.unlink()
    return target, original


def _keep(video: Path) -> Path:
    """Give the original a second name in `originals/`, or find it there."""
    folder = video.parent / ORIGINALS
    folder.mkdir(exist_ok=True)
    for name in _names(video.stem, video.suffix, " ({})"):
        place = folder / name
        if os.path.lexists(place):
            if _same_content(place, video):
                return place
            continue
        try:
            if video.is_symlink():
                place.symlink_to(video.resolve())
            else:
                place.hardlink_to(video)
        except FileExistsError:
            continue
        except OSError:
            # A file system without hard links, or one that allows no more of them.
            with replacing(place, video.suffix) as copy:
                shutil.copyfile(video, copy)
                with contextlib.suppress(OSError):
                    shutil.copystat(video, copy)
        return place
    raise AssertionError("names never end")


def _publish(converted: Path, video: Path, suffix: str) -> Path:
    """Move the converted file to the first free name; a file there with the same bytes is it, from an earlier run."""
    own = _names(f"{video.stem}_{video.suffix.removeprefix('.')}", suffix, "_{}")
    for name in itertools.chain([next(_names(video.stem, suffix, ""))], own):
        target = video.with_name(name)
        if os.path.lexists(target):
            if target != video and _same_content(target, converted):
                return target
            continue
        try:
            target.hardlink_to(converted)
        except FileExistsError:
            continue
        except OSError:
            converted.replace(target)
        return target
    raise AssertionError("names never end")


def _same_content(one: Path, other: Path) -> bool:
    if not one.is_file():
        return False
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)


def _names(stem: str, suffix: str, mark: str) -> Iterator[str]:
    """Yield `stem.suffix`, then the same with marks 2, 3, …, each as long as a file system takes."""
    for number in itertools.count(1):
        ending = (mark.format(number) if number > 1 else "") + suffix
        room = LONGEST_NAME - len(os.fsencode(ending))
        short = os.fsencode(stem)[:room]
        # Not in the middle of a character.
        yield (os.fsdecode(short) if len(os.fsencode(stem)) <= room else short.decode("utf-8", "ignore")) + ending
