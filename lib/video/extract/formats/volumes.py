"""Archives in several files: which is the first, and where the others are."""

import re
from collections.abc import Iterator
from pathlib import Path

RAR4 = b"Rar!\x1a\x07\x00"
RAR5 = b"Rar!\x1a\x07\x01\x00"

_MAIN_4, _VOLUME_4, _FIRST_4 = 0x73, 0x0001, 0x0100
_MAIN_5, _EXTRA_5, _DATA_5, _VOLUME_5, _NUMBERED_5 = 1, 0x1, 0x2, 0x1, 0x2
_PART = re.compile(r"(?P<before>.*\.part)\d+(?P<after>\.rar)", re.IGNORECASE | re.DOTALL)
_SPLIT = re.compile(r"(?P<before>.*\.)\d{3,}(?P<after>)", re.DOTALL)
_OLD = re.compile(r"(?P<before>.*\.)rar(?P<after>)", re.IGNORECASE | re.DOTALL)


def is_split(path: Path) -> bool:
    """Whether the name is that of the first piece of a file that was cut (`.7z.001`)."""
    return re.search(r"\.0*1$", path.name) is not None and _SPLIT.fullmatch(path.name) is not None


def is_later_rar_volume(head: bytes) -> bool:
    """Whether a file that begins with `head` is a volume of a RAR archive, but not its first."""
    volume, first = _rar_flags(head)
    return volume and not first


def volumes(path: Path, head: bytes) -> tuple[Path, ...]:
    """Return the files of the archive whose first is `path`, in their order, as far as they are there."""
    if is_split(path):
        pattern, number = _SPLIT, r"\d{3,}"
    elif not _rar_flags(head)[0]:
        return (path,)
    elif _PART.fullmatch(path.name):
        pattern, number = _PART, r"\d+"
    else:
        pattern, number = _OLD, r"[r-z]\d\d"
    name = pattern.fullmatch(path.name)
    if name is None:
        return (path,)
    wanted = re.compile(re.escape(name["before"]) + number + re.escape(name["after"]), re.IGNORECASE)
    others = (each for each in path.parent.iterdir() if each.name != path.name and wanted.fullmatch(each.name))
    return (path, *sorted(others, key=_order))


def _order(path: Path) -> tuple[int, str]:
    numbers = re.findall(r"\d+", path.name)
    return (int(numbers[-1]) if _PART.fullmatch(path.name) else 0, path.name.lower())


def _rar_flags(head: bytes) -> tuple[bool, bool]:
    """Return whether a RAR file is a volume, and whether the first of its archive."""
    try:
        if head.startswith(RAR5):
            return _flags_5(head)
        if head.startswith(RAR4) and head[9] == _MAIN_4:
            flags = int.from_bytes(head[10:12], "little")
            return bool(flags & _VOLUME_4), bool(flags & _FIRST_4)
    except (StopIteration, IndexError):
        pass
    return False, True


def _flags_5(head: bytes) -> tuple[bool, bool]:
    numbers = _variable_length(head[len(RAR5) + 4 :])
    next(numbers)  # the size of the header
    if next(numbers) != _MAIN_5:
        return False, True
    flags = next(numbers)
    for present in (_EXTRA_5, _DATA_5):
        if flags & present:
            next(numbers)
    archive = next(numbers)
    return bool(archive & _VOLUME_5), not archive & _NUMBERED_5


def _variable_length(data: bytes) -> Iterator[int]:
    """Read integers of seven bits a byte, the lowest first; the highest bit says that more follow."""
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield value
            value = shift = 0
