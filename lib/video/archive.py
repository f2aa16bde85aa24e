"""Results kept for good, by the content of their video: `<archives>/<project>/<sha256>/`."""

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, replacing, sha256
from lib.video.disk import explained
from lib.video.provenance import Provenance
from lib.video.reduce.reading import read_frames
from lib.video.results import Results

METADATA = "metadata.json"
VERSIONS = "versions"
"""Sub-folder of an entry with what was there before options or engines changed."""
LEGACY_KEYS = frozenset({"video_path", "video_stem", "video_hash", "created_at", "copied"})
ENDINGS = {
    "scenes": "_scenes.csv",
    "audio": "_audio.json",
    "tracking": "_tracking.json",
    "scenes_json": "_scenes.json",
    "rttm": ".rttm",
    "landmarks": "_landmarks.parquet",
}
"""What is archived of a video and how its name ends there; the first three are the contract."""
CONTRACT = ("scenes", "audio", "tracking")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Action(StrEnum):
    """What became of an archive entry."""

    WRITTEN = "written"
    REPLACED = "replaced"
    KEPT = "kept"


@dataclass(frozen=True)
class Archived:
    """One entry of the archives, as far as it can be read."""

    folder: Path
    stem: str
    sha256: str
    """Of the video; empty when nobody can say."""
    created_at: str
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> str:
        """The project that it was archived from."""
        return self.folder.parent.name

    @property
    def legacy(self) -> bool:
        """Whether nothing says which engines and options made it."""
        return not set(self.metadata) - LEGACY_KEYS

    @cached_property
    def files(self) -> dict[str, Path]:
        """The results that are there, by kind (`ENDINGS`)."""
        named = {kind: self.folder / f"{self.stem}{ending}" for kind, ending in ENDINGS.items()}
        return {kind: path for kind, path in named.items() if path.is_file()}

    def fingerprint(self, phase: str) -> str | None:
        """Return the fingerprint of a phase's results."""
        fingerprints = self.metadata.get("fingerprints")
        found = fingerprints.get(phase) if isinstance(fingerprints, dict) else None
        return found if isinstance(found, str) else None

    def digest(self, kind: str) -> str | None:
        """Return what the SHA-256 of a result was when it was archived."""
        results = self.metadata.get("results")
        found = results.get(kind) if isinstance(results, dict) else None
        return found if isinstance(found, str) else None


def kind_of(output: Path, video: Path) -> str | None:
    """Return the kind of a result beside a video; None for one that is not archived."""
    return next((kind for kind, path in kinds_beside(video).items() if path == output), None)


def archive_video(
    video: Path,
    project: str,
    archives: Path,
    video_sha256: str,
    seconds: Mapping[str, float] | None = None,
    address: Callable[[Path], str] = lambda path: str(path.absolute()),
) -> tuple[Archived, Action]:
    """Keep the results of a video; return the entry and what became of it.

    Results that are archived already are not written again. Where they differ, those that were there go to `versions`
    first. A result that is missing or cannot be read leaves the archived one as it is. `seconds` are the durations of
    the phases, `address` says where a path is for other machines. Raises InputError when there is nothing to archive,
    or the archives cannot be written.
    """
    if project in {"", ".", ".."} or "/" in project or "\0" in project:
        raise ValueError(f"{project!r} is no name of a project")
    folder = archives / project / video_sha256
    sources = {kind: path for kind, path in kinds_beside(video).items() if path.is_file() and is_sound(path)}
    if not sources:
        raise InputError("There are no results to archive: run phases 3 to 5 first.")
    with explained():
        old = _read(folder)
        digests = {kind: sha256(path) for kind, path in sources.items()}
        if old and _holds(old, digests):
            return old, Action.KEPT
        folder.mkdir(parents=True, exist_ok=True)
        if old:
            _set_aside(old)
            for kind in old.files.keys() - sources.keys():
                sources[kind] = old.files[kind]
                digests[kind] = sha256(old.files[kind])
        stem = video.stem
        targets = {kind: folder / f"{stem}{ending}" for kind, ending in ENDINGS.items() if kind in sources}
        for kind, target in targets.items():
            if sources[kind] != target:
                with replacing(target) as temporary:
                    shutil.copyfile(sources[kind], temporary)
        metadata = _metadata(video, video_sha256, targets, digests, seconds or {}, address)
        with replacing(folder / METADATA) as temporary:
            text = json.dumps(metadata, indent=2, ensure_ascii=False)
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        for path in old.files.values() if old and old.stem != stem else ():
            path.unlink(missing_ok=True)  # under another name: it is in `versions` too
    return Archived(folder, stem, video_sha256, metadata["created_at"], metadata), (
        Action.REPLACED if old else Action.WRITTEN
    )


def find_archived(archives: Path, sha256: str | None = None, stem: str | None = None) -> list[Archived]:
    """Return the entries for the content of a video, the newest first; then those for its stem alone.

    Results of the same stem may be those of another film: they are for people to choose from. Foreign folders are
    passed over; an entry whose metadata cannot be read is known by its folder and files.
    """
    found = [entry for entry in map(_read, _folders(archives, sha256)) if entry] if sha256 else []
    named = []
    if stem is not None:
        known = {entry.folder for entry in found}
        entries = (_read(folder) for folder in _folders(archives) if folder not in known)
        named = [entry for entry in entries if entry and entry.stem == stem]
    return [*_newest_first(found), *_newest_first(named)]


def all_archived(project: Path) -> list[Archived]:
    """Return the entries in the archive folder of one project."""
    folders = sorted(path for path in project.iterdir() if path.is_dir()) if project.is_dir() else []
    return [entry for entry in map(_read, folders) if entry]


def is_sound(path: Path) -> bool:
    """Whether a result file can be read from its beginning to its end."""
    try:
        if path.name.endswith(("_audio.json", "_tracking.json")):
            for _ in read_frames(path):
                pass
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
        else:
            return path.stat().st_size > 0 or path.suffix == ".rttm"  # nobody speaks: no lines
    except (InputError, ValueError, OSError, RecursionError):
        return False
    return True


def kinds_beside(video: Path) -> dict[str, Path]:
    """Return where the results that are archived lie beside a video, by kind."""
    results = Results(video)
    return {
        "scenes": results.scenes_csv,
        "audio": results.audio_json,
        "tracking": results.tracking_json,
        "scenes_json": results.scenes_json,
        "rttm": results.rttm,
        "landmarks": results.landmarks,
    }


def _folders(archives: Path, name: str | None = None) -> Iterator[Path]:
    try:
        projects = sorted(path for path in archives.iterdir() if path.is_dir())
    except OSError:
        return
    for project in projects:
        if name is None:
            try:
                yield from sorted(path for path in project.iterdir() if path.is_dir())
            except OSError:
                continue
        elif (project / name).is_dir():
            yield project / name


def _read(folder: Path) -> Archived | None:
    """Return the entry in a folder; None when there is none."""
    try:
        metadata = json.loads((folder / METADATA).read_bytes())
    except (OSError, ValueError, RecursionError):
        metadata = {}
    metadata = metadata if isinstance(metadata, dict) else {}
    text = {key: value for key, value in metadata.items() if isinstance(value, str)}
    digest = text.get("video_hash") or (folder.name if _DIGEST.fullmatch(folder.name) else "")
    stem = text.get("video_stem")
    if not stem or "/" in stem or not any((folder / f"{stem}{ending}").exists() for ending in ENDINGS.values()):
        stem = _stem_of_files(folder)
    return Archived(folder, stem, digest, text.get("created_at", ""), metadata) if stem else None


def _stem_of_files(folder: Path) -> str | None:
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return None
    endings = [ENDINGS[kind] for kind in CONTRACT]
    stems = (name[: -len(ending)] for name in names for ending in endings if name.endswith(ending))
    return next((stem for stem in stems if stem), None)


def _newest_first(entries: Sequence[Archived]) -> list[Archived]:
    return sorted(entries, key=lambda entry: entry.created_at, reverse=True)


def _holds(entry: Archived, digests: Mapping[str, str]) -> bool:
    """Whether an entry holds these results. The RTTM, which names the video, follows from the audio."""
    return not entry.legacy and all(
        kind in entry.files and (kind == "rttm" or sha256(entry.files[kind]) == digest == entry.digest(kind))
        for kind, digest in digests.items()
    )


def _set_aside(entry: Archived) -> None:
    """Keep what an entry holds now under `versions`, named by its time; once, also when the process died before."""
    name = re.sub(r"[^0-9A-Za-z.+-]", "-", entry.created_at) or "unknown"
    target = entry.folder / VERSIONS / name
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    temporary = target.parent / f".{name}{TEMPORARY_SUFFIX}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    metadata = entry.folder / METADATA
    for path in (*entry.files.values(), *([metadata] if metadata.exists() else [])):
        _link_or_copy(path, temporary / path.name)
    temporary.rename(target)


def _link_or_copy(source: Path, target: Path) -> None:
    """Link a file that will only ever be replaced, never changed in place; copy it where the disk knows no links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT}:
            raise
        shutil.copyfile(source, target)


def _metadata(
    video: Path,
    video_sha256: str,
    targets: Mapping[str, Path],
    digests: Mapping[str, str],
    seconds: Mapping[str, float],
    address: Callable[[Path], str],
) -> dict[str, Any]:
    made = {
        phase: found
        for phase, kind in (("scenes", "scenes_json"), ("audio", "audio"), ("tracking", "tracking"))
        if kind in targets and (found := Provenance.read(targets[kind]))
    }
    copied = {kind: address(targets[kind]) if kind in targets else None for kind in CONTRACT}
    more = {kind: address(path) for kind, path in targets.items() if kind not in CONTRACT}
    return {
        "video_path": address(video),
        "video_stem": video.stem,
        "video_hash": video_sha256,
        "created_at": datetime.now(UTC).isoformat(),
        "copied": copied | more,
        "engines": {phase: provenance.engine for phase, provenance in made.items()},
        "versions": {phase: provenance.engine_version for phase, provenance in made.items()},
        "reasons": {phase: provenance.reason for phase, provenance in made.items()},
        "options": {phase: dict(provenance.options) for phase, provenance in made.items()},
        "analysed_at": {phase: provenance.created_at for phase, provenance in made.items()},
        "durations": dict(seconds),
        "fingerprints": {phase: provenance.fingerprint for phase, provenance in made.items()},
        "results": dict(digests),
    }
