"""Unpacks one archive into a project: only what is safe, all of it or nothing at all."""

import contextlib
import errno
import io
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, replacing_folder
from lib.progress import Progress, silent
from lib.video.extract.formats import looks_like_archive, open_archive, volumes_of
from lib.video.extract.formats.base import HEAD_BYTES, Archive, Entry, Kind, TooManyMembersError
from lib.video.extract.names import Names, is_junk, safe_parts
from lib.video.extract.options import ExtractOptions
from lib.video.extract.refusals import Reason, RefusedError, SecurityLog
from lib.video.results import Results, find_videos

SPACE_CHECK_BYTES = 64 << 20
"""The free space is looked at again after so many bytes."""

_REFUSED_KINDS = {
    Kind.SYMLINK: (Reason.SYMLINK, "it is a symbolic link"),
    Kind.HARDLINK: (Reason.HARDLINK, "it is a hard link"),
    Kind.DEVICE: (Reason.DEVICE, "it is a device, a pipe or the like, no file"),
    Kind.SPARSE: (Reason.SPARSE, "it is stored with holes (sparse); pack it as a usual file"),
}


@dataclass(frozen=True)
class Extraction:
    """What came out of an archive."""

    files: int
    bytes: int
    junk: int
    """Members left out because they are no content (`.DS_Store`)."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """How many members were refused, by reason."""
    nested: tuple[str, ...] = ()
    """Files, by their path in the project, that are archives themselves: kept as they are, not opened."""
    deleted: bool = False
    """Whether the archive was deleted."""


def extract_archive(
    archive: Path, project: Path, options: ExtractOptions, log: Path, progress: Progress = silent
) -> Extraction:
    """Unpack `archive` into the folder `project`, which must not exist yet or be empty.

    Refused members are written to `log` and the others come out; when nothing does, or the archive cannot be read to
    its end, InputError says why and no project is made. The project appears in one move: a kill leaves a temporary
    folder at most, which `lib.files.sweep` removes. Progress is in bytes.
    """
    with telling_full_disk(), replacing_folder(project) as folder:
        extraction = unpack(archive, folder, options, log, progress)
    return delete_if_asked(archive, extraction, options)


def delete_if_asked(archive: Path, extraction: Extraction, options: ExtractOptions) -> Extraction:
    """Delete the archive, with its volumes, when that is wanted and every member came out."""
    if not options.delete_archive or extraction.refused:
        return extraction
    for volume in reversed(volumes_of(archive)):
        volume.unlink()
    return replace(extraction, deleted=True)


def unpack(archive: Path, folder: Path, options: ExtractOptions, log: Path, progress: Progress = silent) -> Extraction:
    """Unpack `archive` into `folder`, which is empty and nobody else's; otherwise as `extract_archive`."""
    with SecurityLog(log, archive) as refusals:
        try:
            with open_archive(archive, options.max_members) as source:
                unpacking = _Unpacking(source, folder, options, refusals, progress)
                unpacking.run()
        except TooManyMembersError as error:
            refusals.refuse("", RefusedError(Reason.COUNT, str(error)))
            raise
        if not unpacking.files:
            if refusals.counts:
                reasons = ", ".join(f"{count} × {reason}" for reason, count in refusals.counts.most_common())
                raise InputError(f"Nothing of the archive may come out: {reasons}. See security.jsonl for each.")
            raise InputError("The archive holds no file.")
        _make_room_for_results(folder)
        top = _flatten(folder) if options.flatten else ""
        return Extraction(
            files=unpacking.files,
            bytes=unpacking.bytes,
            junk=unpacking.junk,
            refused=dict(refusals.counts),
            nested=tuple(path.removeprefix(top) for path in unpacking.nested),
        )


class _Unpacking:
    """One pass over the members of an archive."""

    def __init__(
        self, source: Archive, folder: Path, options: ExtractOptions, refusals: SecurityLog, progress: Progress
    ) -> None:
        self._source = source
        self._folder = folder
        self._options = options
        self._refusals = refusals
        self._progress = progress
        self._names = Names()
        self._folders: set[Path] = {folder}
        self._archive_bytes = sum(volume.stat().st_size for volume in source.volumes)
        self._skipped = 0
        self._until_check = 0
        self.files = self.bytes = self.junk = 0
        self.nested: list[str] = []

    def run(self) -> None:
        # What comes out is hardly ever less than the archive itself: better to know before hours of work.
        self._check_space(self._archive_bytes)
        for entry in self._source.entries():
            member = entry.member
            if is_junk(member.name):
                self.junk += 1
            else:
                try:
                    self._take(entry)
                except RefusedError as refusal:
                    self._refusals.refuse(member.name, refusal)
            self._read_past(entry)
            self._progress(self._source.position, self._source.total, member.name)

    def _take(self, entry: Entry) -> None:
        member = entry.member
        parts = safe_parts(member.name, self._options.max_depth)
        if member.kind in _REFUSED_KINDS:
            raise RefusedError(*_REFUSED_KINDS[member.kind])
        if member.kind is Kind.FOLDER:
            return
        # Where the packed size is only known from reading, the ratio is checked while writing.
        self._check(member.size, entry.packed() if entry.skippable else None)
        self._check_space(member.size)
        place, stream = self._create(parts)
        try:
            with stream:
                written, head = self._write(entry, stream)
        except RefusedError:
            (self._folder / place).unlink()
            raise
        self.files += 1
        self.bytes += written
        if looks_like_archive(head):
            self.nested.append(str(place))

    def _create(self, parts: list[str]) -> tuple[PurePosixPath, io.FileIO]:
        """Make a new file at the path `parts`, or at one like it that is free."""
        while True:
            place = self._names.place(parts)
            target = self._folder / place
            try:
                if target.parent not in self._folders:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._folders.add(target.parent)
                return place, io.FileIO(target, "x")
            except FileExistsError:
                continue  # A file system that takes more names for one than we do: the next number.
            except OSError as error:
                if error.errno != errno.ENAMETOOLONG:
                    raise
                raise RefusedError(Reason.LENGTH, "its path is too long for the disk of the projects") from error

    def _write(self, entry: Entry, stream: io.FileIO) -> tuple[int, bytes]:
        """Write the content of a member; return its size and its first bytes."""
        written, head = 0, b""
        for chunk in entry.chunks:
            head = head or chunk[:HEAD_BYTES]
            written += len(chunk)
            self._check(written, entry.packed())
            self._until_check -= len(chunk)
            if self._until_check < 0:
                self._check_space(len(chunk))
            view = memoryview(chunk)
            while view:
                view = view[stream.write(view) :]
            self._progress(self._source.position, self._source.total, entry.member.name)
        return written, head

    def _check(self, size: int, packed: int | None) -> None:
        """Raise RefusedError when a member of `size` bytes, from `packed` ones (None: unknown), is over a limit."""
        options = self._options
        if size > options.max_member_bytes:
            raise RefusedError(Reason.MEMBER_BYTES, f"it is larger than {options.max_member_bytes:,} bytes")
        if self.bytes + size > options.max_total_bytes:
            raise RefusedError(
                Reason.TOTAL_BYTES, f"the archive unpacks to more than {options.max_total_bytes:,} bytes"
            )
        if packed is not None and options.ratio_from_bytes < size > options.max_ratio * packed:
            raise RefusedError(Reason.RATIO, f"it unpacks to more than {options.max_ratio:g} times its packed size")
        together = self.bytes + size
        if options.ratio_from_bytes < together > options.max_ratio * self._archive_bytes:
            raise RefusedError(
                Reason.RATIO, f"with it, the archive unpacks to more than {options.max_ratio:g} times its size"
            )

    def _check_space(self, needed: int) -> None:
        """Raise InputError when the disk cannot take `needed` more bytes."""
        free = shutil.disk_usage(self._folder).free - self._options.keep_free_bytes
        if needed > free:
            raise InputError(
                f"There is not enough space on the disk of the projects: {needed:,} bytes are needed,"
                f" {max(free, 0):,} may be used. Free some space, or give another output folder."
            )
        self._until_check = min(SPACE_CHECK_BYTES, free // 2)

    def _read_past(self, entry: Entry) -> None:
        """Read what is left of a member where the next one can be reached in no other way."""
        if entry.skippable:
            return
        for chunk in entry.chunks:
            self._skipped += len(chunk)
            if self._skipped > self._options.max_skipped_bytes:
                refusal = RefusedError(
                    Reason.SKIPPED_BYTES,
                    f"more than {self._options.max_skipped_bytes:,} bytes were unpacked for nothing",
                )
                self._refusals.refuse(entry.member.name, refusal)
                raise InputError(
                    "The archive unpacks to endless content that is refused, and what lies behind it is out of reach."
                )
            self._progress(self._source.position, self._source.total, entry.member.name)


def _make_room_for_results(folder: Path) -> None:
    """Give another name to files that have the name of a result that Régie will write beside a video (`<stem>.csv`)."""
    for video in find_videos(folder):
        for result in Results(video).every():
            if result.is_file():
                names = Names()
                for each in result.parent.iterdir():
                    names.take(each.name)
                result.rename(result.with_name(names.place([result.name]).name))


def _flatten(folder: Path) -> str:
    """Take away a folder that is alone in `folder`: its content moves up. Return the start of paths that is gone."""
    content = list(folder.iterdir())
    if len(content) != 1 or not content[0].is_dir():
        return ""
    # Renamed first: it may hold something of its own name.
    top = content[0].rename(folder / f".top{TEMPORARY_SUFFIX}")
    for each in list(top.iterdir()):
        each.rename(folder / each.name)
    top.rmdir()
    return content[0].name + "/"


_DISK_ERRORS = {
    errno.ENOSPC: "The disk of the projects is full. Free some space, or give another output folder.",
    errno.EDQUOT: "The quota of the projects' disk is used up. Free some space, or give another output folder.",
    errno.EROFS: "The folder of the projects is read-only. Give an output folder that you may write to.",
    errno.EACCES: "Access was refused. Give an output folder that you may write to, and files that you may read.",
    errno.EPERM: "Access was refused. Give an output folder that you may write to, and files that you may read.",
    errno.EFBIG: "The disk of the projects does not take files that large (FAT?). Give an output folder on another.",
}


@contextlib.contextmanager
def telling_full_disk() -> Iterator[None]:
    """Turn what a person must put right on the disk into InputError."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_ERRORS:
            raise InputError(_DISK_ERRORS[error.errno]) from error
        raise
