"""The archive formats, and how one is recognised: by its content."""

from pathlib import Path

from lib.errors import InputError
from lib.video.extract.formats.base import HEAD_BYTES, Archive
from lib.video.extract.formats.sevenzip import SevenZipArchive
from lib.video.extract.formats.tar import TarArchive
from lib.video.extract.formats.volumes import is_later_rar_volume, volumes
from lib.video.extract.formats.zip import ZipArchive

FORMATS: tuple[type[Archive], ...] = (SevenZipArchive, ZipArchive, TarArchive)
"""Every format; the first that recognises a file reads it."""

_MAGIC = (
    b"PK\x03\x04",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
)


def detect(path: Path) -> type[Archive] | None:
    """Return the format of a file by its content; None when it is no archive."""
    head = head_of(path)
    return next((each for each in FORMATS if head and each.recognises(path, head)), None)


def is_later_volume(path: Path) -> bool:
    """Whether a file is a volume of an archive, but not the first, which stands for the archive."""
    return is_later_rar_volume(head_of(path))


def volumes_of(path: Path) -> tuple[Path, ...]:
    """Return the files of an archive, `path` first: more than one when it is in volumes."""
    return volumes(path, head_of(path))


def looks_like_archive(head: bytes) -> bool:
    """Whether content that begins with `head` is an archive or something compressed."""
    return head.startswith(_MAGIC) or head[257:262] == b"ustar"


def head_of(path: Path) -> bytes:
    """Return what a format is recognised from."""
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def open_archive(path: Path, max_members: int) -> Archive:
    """Open an archive; InputError when it is none, encrypted, truncated, damaged, or not the first of its volumes."""
    if not path.stat().st_size:
        raise InputError("The archive is empty (zero bytes). Get it again, from its sender or by a new download.")
    if is_later_volume(path):
        raise InputError("This is a later volume of an archive. Give the first one (part1, or .rar).")
    found = detect(path)
    if found is None:
        raise InputError("This is no archive that can be read: ZIP, TAR (gz, bz2, xz, zst), 7z or RAR.")
    archive = found(path, max_members)
    if isinstance(archive, ZipArchive) and archive.needs_seven_zip:
        archive.close()
        return SevenZipArchive(path, max_members)
    return archive


def name_without_suffixes(path: Path) -> str:
    """Return the name of an archive without its endings: "rushes" for `rushes.tar.gz`, `rushes.part1.rar`."""
    name = path.name
    for ending in (r".001", ".01"):
        name = name.removesuffix(ending)
    suffixes = sorted((suffix for each in FORMATS for suffix in each.suffixes), key=len, reverse=True)
    lowered = name.lower()
    for suffix in suffixes:
        if lowered.endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
            break
    stem, dot, part = name.rpartition(".")
    return stem if dot and stem and part.lower().startswith("part") and part[4:].isdigit() else name
