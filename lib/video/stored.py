"""A workspace in storage elsewhere: what of it a phase needs at hand, and what can be told of it from afar."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from lib.storage import Mirror, checked, connect, is_url, outlined
from lib.storage.hold import FOLDER as HELD
from lib.video.extract.manifest import MANIFEST
from lib.video.results import ORIGINALS
from lib.video.workspace import Workspace

STATE = ".regie"
OWN = ("projects", "output", "archives")
"""Folders of a workspace."""


def mirror_of(url: str, storage: Mapping[str, Any], home: Path, *, deep: bool = True) -> Mirror:
    """Return the mirror of a folder that is, or may hold, a workspace; its locks are no files of it.

    Not `deep`, it is one of the files in the folder, without those in folders below.
    """
    return Mirror(
        connect(url, storage, deep=deep), home, lambda name: name == f"{STATE}/lock" or name.startswith(f"{HELD}/")
    )


@contextlib.contextmanager
def seen(out: str, storage: Mapping[str, Any] | None = None) -> Iterator[Workspace]:
    """Give a workspace to look at: the folder itself, or the outline of one in storage elsewhere.

    In an outline there is every file by its name, but only what says what became of the others has its content.
    `storage` are fsspec's options for it.
    """
    if not is_url(out):
        yield Workspace(Path(out))
        return
    with outlined(connect(out, storage), _is_book) as folder:
        yield Workspace(folder, checked(out))


def books(names: Collection[str]) -> Iterator[str]:
    """Choose what says what is in a workspace and what became of it: small, and needed by all."""
    return (name for name in names if _is_book(name))


def needed_by(phase: str, names: Collection[str], projects: Iterable[Path]) -> Iterator[str]:
    """Choose what a phase needs of these projects; archived results are fetched by the content of a video, later."""
    wanted = {project.name for project in projects}
    with_originals = phase in {"extract", "convert"}
    for name in names:
        parts = name.split("/")
        if len(parts) < 3 or parts[1] not in wanted:
            continue
        at_work = parts[0] == "projects" and (with_originals or ORIGINALS not in parts)
        if at_work or (parts[0] == "output" and phase == "finalise"):
            yield name


def archived(sha256: str, names: Collection[str]) -> Iterator[str]:
    """Choose the archived results of a video by its content."""
    return (name for name in names if name.startswith("archives/") and name.split("/")[2:3] == [sha256])


def of_a_source(names: Collection[str]) -> Iterator[str]:
    """Choose what a folder holds that a run starts from: nothing hidden, nothing of Régie's own making."""
    every = [PurePosixPath(name) for name in names]
    workspaces = {path.parents[len(path.parts) - 1 - path.parts.index(STATE)] for path in every if STATE in path.parts}
    ours = {workspace / own for workspace in workspaces for own in OWN}
    ours |= {path.parent for path in every if path.name == MANIFEST}
    for path in every:
        hidden = any(part.startswith(".") or part == ORIGINALS for part in path.parts)
        if not hidden and ours.isdisjoint(path.parents):
            yield str(path)


def _is_book(name: str) -> bool:
    parts = name.split("/")
    return (
        name == "security.jsonl"
        or (parts[0] == STATE and not name.startswith(f"{HELD}/"))
        or (len(parts) == 3 and parts[0] == "projects" and parts[2] == MANIFEST)
    )
