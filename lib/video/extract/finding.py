"""Finds what a run starts from: the archives, folders of videos and videos that a path stands for."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lib.errors import InputError
from lib.video.extract.formats import FORMATS, detect, is_later_volume, name_without_suffixes, volumes_of
from lib.video.extract.manifest import MANIFEST
from lib.video.extract.names import clean_name, decode_name, fold, is_junk, shortened
from lib.video.extract.options import ExtractOptions
from lib.video.results import ORIGINALS, is_video
from lib.video.workspace import Workspace

DOCUMENTS = frozenset(
    {
        ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".idml", ".kmz",
        ".jar", ".apk", ".whl", ".mogrt", ".zxp", ".ccx",
    }
)  # fmt: skip
"""Files that are ZIP inside but no archive to who made them: left alone in a folder."""


class SourceKind(StrEnum):
    """What becomes a project."""

    ARCHIVE = "archive"
    FOLDER = "folder"
    VIDEO = "video"


@dataclass(frozen=True)
class Source:
    """One future project."""

    kind: SourceKind
    path: Path
    """The archive (of several volumes, the first), the folder in which videos lie, or the video; absolute."""
    name: str
    """What the project will be called, unless another one has that name already."""
    size: int
    """Its bytes, packed as they are."""
    origin: str = ""
    """The URL where it lies, when `path` is a copy that was fetched from there."""


def find_sources(source: Path, options: ExtractOptions, skip: Collection[Path] = ()) -> list[Source]:
    """Return what `source`, an archive, a folder or a video, holds: the same things in the same order each time.

    Of a folder, with those in it: each archive, and each folder in which videos lie. Left out are hidden things, links
    to folders, Régie's own projects and results, and what is in `skip`. The keyword chooses among the archives of a
    folder; an archive that is itself given is meant. InputError when there is no such path, or it is none of the three.
    """
    path = Path(os.path.abspath(source))  # noqa: PTH100  # resolving would lose the name that the user gave
    if path.is_dir():
        found = list(_walk(path, options, {each.resolve() for each in skip}))
    elif path.is_file():
        found = [_file_source(path)]
    else:
        raise InputError("There is no such file or folder. Check the path, and whether its disk is there.")
    return _kept_apart(found)


def _file_source(path: Path) -> Source:
    if is_later_volume(path):
        raise InputError("This is a later volume of an archive. Give the first one (part1, or .rar).")
    if _is_archive(path):
        return _archive(path)
    if is_video(Path(path.name)):
        return Source(SourceKind.VIDEO, path, _plain(path.stem), path.stat().st_size)
    raise InputError("This is neither an archive (ZIP, TAR, 7z, RAR) nor a video that is known by its name.")


def _walk(top: Path, options: ExtractOptions, skip: Collection[Path]) -> Iterator[Source]:
    for place, folders, names in os.walk(top):
        folder = Path(place)
        own = Workspace(folder)
        ours = {own.projects, own.output, own.archives} if (folder / ".regie").is_dir() else set()
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name != ORIGINALS
            and not is_junk(name)
            and folder / name not in ours
            and (folder / name).resolve() not in skip
            and not (folder / name / MANIFEST).exists()
        )
        files = [folder / name for name in sorted(names) if not name.startswith(".") and not is_junk(name)]
        archives = [
            path for path in files if path.suffix.lower() not in DOCUMENTS and path.is_file() and _is_archive(path)
        ]
        videos = [path for path in videos_in(folder) if path not in archives]
        if videos:
            yield Source(SourceKind.FOLDER, folder, _plain(folder.name), sum(video.stat().st_size for video in videos))
        yield from (_archive(path) for path in _firsts(archives) if options.keyword.casefold() in path.name.casefold())


def _firsts(archives: list[Path]) -> list[Path]:
    """Return the archives without later volumes; volumes whose first is not there stay, to be reported."""
    firsts = [path for path in archives if not _is_later(path)]
    covered = {volume for path in firsts for volume in volumes_of(path)}
    lost: dict[str, Path] = {}
    for path in archives:
        if path not in covered:
            lost.setdefault(name_without_suffixes(path), path)
    return sorted({*firsts, *lost.values()})


def videos_in(folder: Path) -> list[Path]:
    """Return the videos that lie directly in a folder, in the order of their names."""
    return sorted(
        path for path in folder.iterdir() if is_video(Path(path.name)) and not is_junk(path.name) and path.is_file()
    )


def _is_archive(path: Path) -> bool:
    """Whether a file is an archive by its content, or at least by its name: that one is reported as unreadable."""
    named = path.name.lower().endswith(tuple(suffix for each in FORMATS for suffix in each.suffixes))
    try:
        return named or detect(path) is not None
    except OSError:
        return named


def _is_later(path: Path) -> bool:
    try:
        return is_later_volume(path)
    except OSError:
        return False


def _archive(path: Path) -> Source:
    try:
        size = sum(volume.stat().st_size for volume in volumes_of(path))
    except OSError:
        size = path.stat().st_size
    return Source(SourceKind.ARCHIVE, path, _plain(name_without_suffixes(path)), size)


def _plain(name: str) -> str:
    return clean_name(decode_name(os.fsencode(name)))


def _kept_apart(found: list[Source]) -> list[Source]:
    taken: set[str] = set()
    apart = []
    for source in found:
        name, number = source.name, 1
        while fold(name) in taken:
            number += 1
            name = shortened(source.name, file=False, ending=f" {number}")
        taken.add(fold(name))
        apart.append(Source(source.kind, source.path, name, source.size))
    return apart
