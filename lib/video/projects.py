"""All projects, those that are worked on and those that only the archives know, and what there is of each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from lib.video.archive import Archived, all_archived, kinds_beside
from lib.video.hashes import HashBook
from lib.video.results import find_videos

Origin = Literal["project", "archives"]
_STAMP = re.compile(r" \d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$")
"""Archives of earlier programs put the time behind the project's name."""


@dataclass(frozen=True)
class ProjectVideo:
    """One video of a project and its results."""

    name: str
    """Path below the project; of an archived video, its file name."""
    path: Path | None
    """None when only the archives know it."""
    sha256: str
    """Content hash, where it is known."""
    results: Mapping[str, Origin]
    """Where each kind of result (`lib.video.archive.ENDINGS`) is."""
    files: Mapping[str, Path]
    """The result files themselves, by kind."""


@dataclass(frozen=True)
class Project:
    """A project, wherever it is known."""

    name: str
    folder: Path | None
    """Where it is worked on; None when it is archived only."""
    published: Path | None
    """Where it was copied to."""
    videos: tuple[ProjectVideo, ...]

    @property
    def active(self) -> bool:
        """Whether it is worked on."""
        return self.folder is not None


def list_projects(projects: Path, archives: Path, output: Path, hashes: HashBook | None = None) -> list[Project]:
    """Return all projects by name, each with its videos and where their results are: beside them, else archived.

    An archived result belongs to a video of the same content; where no `hashes` are given, or the archive does not say,
    to one of the same stem in the same project.
    """
    active = {path.name: path for path in _folders(projects)}
    archived: dict[str, list[Archived]] = {}
    for folder in _folders(archives):
        name = folder.name if folder.name in active else _STAMP.sub("", folder.name)
        archived.setdefault(name, []).extend(all_archived(folder))
    published = {path.name: path for path in _folders(output)}
    return [
        Project(
            name,
            active.get(name),
            published.get(name),
            tuple(_videos(active.get(name), archived.get(name, []), hashes)),
        )
        for name in sorted(active.keys() | archived.keys())
    ]


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")] if root.is_dir() else []


def _videos(folder: Path | None, entries: Sequence[Archived], hashes: HashBook | None) -> list[ProjectVideo]:
    newest = sorted(entries, key=lambda entry: entry.created_at, reverse=True)
    videos, known = [], set[Path]()
    for path in find_videos(folder) if folder else ():
        digest = hashes.sha256(path) if hashes else ""
        matching = [entry for entry in newest if _is_of(entry, path, digest)]
        known |= {entry.folder for entry in matching}
        videos.append(_video(str(path.relative_to(folder)) if folder else path.name, path, digest, matching))
    for entry in newest:
        if entry.folder not in known:
            original = PurePath(str(entry.metadata.get("video_path") or entry.stem)).name
            same = [other for other in newest if other.sha256 and other.sha256 == entry.sha256] or [entry]
            known |= {other.folder for other in same}
            videos.append(_video(original, None, entry.sha256, same))
    return videos


def _is_of(entry: Archived, video: Path, digest: str) -> bool:
    return entry.sha256 == digest if digest and entry.sha256 else entry.stem == video.stem


def _video(name: str, path: Path | None, digest: str, entries: Sequence[Archived]) -> ProjectVideo:
    """Take each kind of result from beside the video, else from the newest entry that has it."""
    results: dict[str, Origin] = {}
    files: dict[str, Path] = {}
    for kind, file in kinds_beside(path).items() if path else ():
        if file.is_file():
            results[kind], files[kind] = "project", file
    for entry in entries:
        for kind, file in entry.files.items():
            if kind not in results:
                results[kind], files[kind] = "archives", file
    return ProjectVideo(name, path, digest or (entries[0].sha256 if entries else ""), results, files)
