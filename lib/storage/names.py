"""Names of objects as names of files: those that would fall out of a folder, or on one another, are refused."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath

LONGEST_PART, LONGEST = 255, 3000
"""Bytes of a name, and of all of a path below a folder whose own path takes the rest of Linux's 4096."""


def refusals(names: Collection[str], *, cases_apart: bool = True) -> Mapping[str, str]:
    """Return why names of objects cannot be files, by name; the others can be files of one folder, all together.

    `cases_apart` is whether the disk takes `A` and `a` for two names. Where one object is both a file and a folder to
    others, the file is refused.
    """
    refused = {name: why for name in names if (why := _why(name))}
    good = sorted(name for name in names if name not in refused)
    folders = {str(parent) for name in good for parent in PurePosixPath(name).parents}
    refused |= {name: "others lie below it as in a folder" for name in good if name in folders}
    if not cases_apart:
        seen: set[str] = set()
        for name in good:
            if name.casefold() in seen:
                refused[name] = "another has this name but for capital letters"
            seen.add(name.casefold())
    return refused


def told(refused: Mapping[str, str], most: int = 5) -> str:
    """Return refusals in words, the first few by name."""
    said = [f"{name!a} ({why})" for name, why in sorted(refused.items())[:most]]
    more = len(refused) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "")


def is_marker(name: str) -> bool:
    """Whether an object only marks a folder, as consoles of S3 make them."""
    return name.endswith("/") or not name


def _why(name: str) -> str:
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return "it leads out of its folder"
    if "\\" in name or any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        return "it has a backslash or a control character"
    try:
        lengths: Iterable[int] = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if max(lengths) > LONGEST_PART or len(name.encode()) > LONGEST:
        return "it is too long"
    return ""
