"""What a run starts from, brought in as projects: archives, folders of videos, videos."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib.errors import InputError
from lib.files import replacing_folder
from lib.progress import Progress, silent
from lib.video.extract.bring import link_or_copy
from lib.video.extract.extraction import Extraction, delete_if_asked, telling_full_disk, unpack
from lib.video.extract.finding import Source, SourceKind, find_sources, videos_in
from lib.video.extract.formats import volumes_of
from lib.video.extract.manifest import MANIFEST, Incoming, Manifest, as_text
from lib.video.extract.names import Names, clean_name, decode_name, fold, shortened
from lib.video.extract.options import ExtractOptions
from lib.video.results import find_videos

__all__ = ["Intake", "Source", "SourceKind", "bring_in", "find_sources", "project_of", "projects_of"]

HASH_BYTES = 4 << 20


@dataclass(frozen=True)
class Intake:
    """What became of a source."""

    project: Path
    action: Literal["created", "updated", "kept"]
    counts: Mapping[str, float]
    """`videos` and, of what came in now, `files`, `bytes`, `refused`, `junk`."""
    notes: tuple[str, ...] = ()


def project_of(source: Source, projects: Path) -> Path | None:
    """Return the project that a source became earlier, from its manifest; None when it has not come in yet.

    A folder is known by its path, an archive or video by its content: its size and time where it lay, else its SHA-256.
    """
    place, size, mtime_ns = _state(source)
    sha256: str | None = None
    for manifest_file in sorted(projects.glob(f"*/{MANIFEST}")):
        manifest = Manifest.read(manifest_file.parent)
        if manifest is None or manifest.kind != source.kind:
            continue
        if source.kind is SourceKind.FOLDER:
            if manifest.source == place:
                return manifest_file.parent
        elif manifest.size == size:
            if (manifest.source, manifest.mtime_ns) == (place, mtime_ns):
                return manifest_file.parent
            sha256 = sha256 or _sha256(_files(source), silent)
            if manifest.sha256 == sha256:
                return manifest_file.parent
    return None


def projects_of(source: Path, projects: Path, options: ExtractOptions) -> list[Path]:
    """Return the projects that a source became, in the order of the source; those of archives that were deleted last.

    `source` may hold several sources, or be gone itself when it was an archive that was deleted on request.
    """
    there = find_sources(source, options) if source.exists() else []
    found = [project for each in there if (project := project_of(each, projects)) is not None]
    for manifest_file in sorted(projects.glob(f"*/{MANIFEST}")):
        manifest = Manifest.read(manifest_file.parent)
        if manifest is None or manifest_file.parent in found:
            continue
        origin = Path(manifest.source)
        if origin.is_relative_to(as_text(source.resolve())) and not origin.exists():
            found.append(manifest_file.parent)
    return found


def bring_in(
    source: Source, projects: Path, options: ExtractOptions, progress: Progress = silent, *, log: Path | None = None
) -> Intake:
    """Make the project of a source, or bring it up to date; a source that is known and unchanged is only looked at.

    The source is never modified (but for the deletion of an archive, when the options ask for it): videos come in as
    hard links, or as copies where the disk is another one. A video that is in already, converted or not, does not come
    in again, and no result is lost. Refused members are written to `log`: by default `security.jsonl`, which lies
    beside `projects`. Progress is in bytes. InputError when the source cannot come in.
    """
    with telling_full_disk():
        projects.mkdir(parents=True, exist_ok=True)
        if source.path.resolve().is_relative_to(projects.resolve()):
            raise InputError(
                "The source lies among the projects themselves. Give the original, or another output folder."
            )
        known = project_of(source, projects)
        if known is not None:
            return _update(source, known, progress) if source.kind is SourceKind.FOLDER else _seen(source, known)
        project = _free(projects, source.name)
        if source.kind is SourceKind.ARCHIVE:
            return _unpack(source, project, options, log or projects.parent / "security.jsonl", progress)
        return _create(source, project, progress)


def _free(projects: Path, wanted: str) -> Path:
    taken = {fold(each.name) for each in projects.iterdir()}
    name, number = wanted, 1
    while fold(name) in taken:
        number += 1
        name = shortened(wanted, file=False, ending=f" {number}")
    return projects / name


def _files(source: Source) -> tuple[Path, ...]:
    return volumes_of(source.path) if source.kind is SourceKind.ARCHIVE else (source.path,)


def _state(source: Source) -> tuple[str, int, int]:
    """Return where a source lies, its size and its time, by which it is known to be unchanged."""
    states = [path.stat() for path in _files(source)]
    size = 0 if source.kind is SourceKind.FOLDER else sum(state.st_size for state in states)
    return source.origin or as_text(source.path.resolve()), size, max(state.st_mtime_ns for state in states)


def _sha256(files: tuple[Path, ...], progress: Progress) -> str:
    total = sum(path.stat().st_size for path in files)
    digest, done = hashlib.sha256(), 0
    for path in files:
        with path.open("rb") as stream:
            while chunk := stream.read(HASH_BYTES):
                digest.update(chunk)
                done += len(chunk)
                progress(done, total, path.name)
    return digest.hexdigest()


def _manifest(source: Source, project: Path, progress: Progress) -> Manifest:
    place, size, mtime_ns = _state(source)
    sha256 = None if source.kind is SourceKind.FOLDER else _sha256(_files(source), progress)
    return Manifest(kind=source.kind, source=place, name=project.name, size=size, mtime_ns=mtime_ns, sha256=sha256)


def _seen(source: Source, project: Path) -> Intake:
    """Leave a known archive or video; note where it lies now, so that its content need not be read again."""
    manifest = Manifest.read(project)
    place, _, mtime_ns = _state(source)
    if manifest is not None and (manifest.source, manifest.mtime_ns) != (place, mtime_ns):
        manifest.model_copy(update={"source": place, "mtime_ns": mtime_ns}).write(project)
    return Intake(project, "kept", {"videos": len(find_videos(project))})


def _halves(progress: Progress) -> tuple[Progress, Progress]:
    """Split a progress in two: reading for the check sum, then the work itself."""

    def first(done: int, total: int, item: str = "") -> None:
        progress(done, 2 * total, item)

    def second(done: int, total: int, item: str = "") -> None:
        progress(total + done, 2 * total, item)

    return first, second


def _unpack(source: Source, project: Path, options: ExtractOptions, log: Path, progress: Progress) -> Intake:
    reading, unpacking = _halves(progress)
    with replacing_folder(project) as folder:
        manifest = _manifest(source, project, reading)
        extraction = unpack(source.path, folder, options, log, unpacking)
        manifest.write(folder)
    extraction = delete_if_asked(source.path, extraction, options)
    videos = len(find_videos(project))
    counts = {
        "videos": videos,
        "files": extraction.files,
        "bytes": extraction.bytes,
        "refused": sum(extraction.refused.values()),
        "junk": extraction.junk,
    }
    return Intake(project, "created", counts, tuple(_notes(extraction, videos)))


def _notes(extraction: Extraction, videos: int) -> Iterator[str]:
    if extraction.refused:
        reasons = ", ".join(f"{count} × {reason}" for reason, count in sorted(extraction.refused.items()))
        yield f"Members that were refused: {reasons}; security.jsonl names each."
    if extraction.nested:
        yield f"Archives inside the archive were kept but not opened: {len(extraction.nested)}."
    if not videos:
        yield "There is no video in the archive."
    if extraction.deleted:
        yield "The archive was deleted, as asked."


def _create(source: Source, project: Path, progress: Progress) -> Intake:
    """Make the project of a folder or of one video."""
    reading, bringing = _halves(progress)
    with replacing_folder(project) as folder:
        manifest = _manifest(source, project, reading)
        files = videos_in(source.path) if source.kind is SourceKind.FOLDER else [source.path]
        intake = _bring(files, folder, manifest, bringing)
        manifest.write(folder)
    return Intake(project, "created", intake.counts, intake.notes)


def _update(source: Source, project: Path, progress: Progress) -> Intake:
    """Bring in the videos of a known folder that are new or have changed."""
    manifest = Manifest.read(project)
    if manifest is None:
        raise InputError("The project's note of where it came from has just gone. Start the run again.")
    known = {(each.file, each.size, each.mtime_ns) for each in manifest.files}
    files = [file for file in videos_in(source.path) if _identity(file) not in known]
    if not files:
        return Intake(project, "kept", {"videos": len(find_videos(project))})
    return _bring(files, project, manifest, progress)


def _identity(file: Path) -> tuple[str, int, int]:
    status = file.stat()
    return as_text(file.name), status.st_size, status.st_mtime_ns


def _bring(files: list[Path], project: Path, manifest: Manifest, progress: Progress) -> Intake:
    """Bring files into a project, one after the other, and note each in the manifest."""
    names = Names()
    for each in project.iterdir():
        names.take(each.name)
    total, done, copied = sum(file.stat().st_size for file in files), 0, 0
    notes: list[str] = []
    for file in files:
        wanted = clean_name(decode_name(os.fsencode(file.name)), file=True)
        incoming = Incoming.of(file, _place(file, wanted, project, manifest, names))
        if not _is_same(file, project / incoming.name):
            copied += not link_or_copy(file, project / incoming.name, _shifted(progress, done, total))
        done += incoming.size
        if incoming.name != wanted:
            notes.append(f"{wanted!r} came in as {incoming.name!r}, since another video has that name.")
        manifest.files[:] = [each for each in manifest.files if each.file != incoming.file] + [incoming]
        if (project / MANIFEST).exists():
            manifest.write(project)
    if copied:
        notes.append("Videos were copied: the disk of the projects is another one, or does not link.")
    counts = {"videos": len(find_videos(project)), "files": len(files), "bytes": done, "copied": copied}
    return Intake(project, "updated", counts, tuple(notes))


def _place(file: Path, wanted: str, project: Path, manifest: Manifest, names: Names) -> str:
    """Return the name for a video in its project."""
    for known in manifest.files:
        # A video that changed takes its own place again, unless a conversion has given it another name.
        if known.file == as_text(file.name) and (project / known.name).exists():
            return known.name
    if _is_same(file, project / wanted) and all(known.name != wanted for known in manifest.files):
        return wanted  # A run was killed after it came in, before that was noted.
    return names.place([wanted]).name


def _is_same(file: Path, there: Path) -> bool:
    """Whether a file of a project is the user's file, as it is now, or a copy of it."""
    try:
        now, then = file.stat(), there.stat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)


def _shifted(progress: Progress, before: int, of: int) -> Progress:
    def tell(done: int, total: int, item: str = "") -> None:
        progress(before + done, of, item)

    return tell
