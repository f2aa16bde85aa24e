"""Names of members: decoded, checked, made valid everywhere, and kept apart."""

import re
import unicodedata
from pathlib import PurePosixPath

from lib.files import TEMPORARY_SUFFIX
from lib.video.extract.refusals import Reason, RefusedError
from lib.video.results import ORIGINALS, VIDEO_SUFFIXES

NAME_BYTES = 255
"""The longest name that the usual file systems take."""
VIDEO_STEM_BYTES = 225
"""The longest stem of a video: its results are named after it (`<stem>_tracking.json`) and must have room too."""
PATH_BYTES = 2048
"""The longest path below the project; the usual limit of a whole path is 4096."""
SUFFIX_BYTES = 16
"""A longer ending is no suffix, and is cut like the rest of the name."""

_JUNK = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])( *\.|$)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_OWN = ".regie"


def decode_name(raw: bytes, *, dos: bool = False) -> str:
    """Return the text of a name whose encoding nobody noted: UTF-8, or the old code page that makes more letters of it.

    `dos` says that the archive was made on DOS or Windows, which settles a draw for code page 437.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    old, western = raw.decode("cp437"), raw.decode("cp1252", "replace")
    if "\ufffd" in western:
        western = raw.decode("latin-1")
    letters = _latin_letters(old) - _latin_letters(western)
    return old if letters > 0 or (letters == 0 and dos) else western


def _latin_letters(text: str) -> int:
    return sum(unicodedata.name(letter, "").startswith("LATIN") for letter in text if not letter.isascii())


def is_junk(name: str) -> bool:
    """Whether a member is what operating systems leave in archives, and no content."""
    parts = [part for part in name.replace("\\", "/").casefold().split("/") if part]
    return any(part in _JUNK or part.startswith("._") for part in parts)


def safe_parts(name: str, max_depth: int) -> list[str]:
    """Return the parts of a member's path, each a valid name; RefusedError when the path is not one below a folder.

    Backslashes separate as slashes do.
    """
    path = name.replace("\\", "/")
    _check(path)
    try:
        _check(unicodedata.normalize("NFKC", path).replace("\\", "/"), drives=False)
    except RefusedError as refusal:
        raise RefusedError(Reason.ESCAPES, f"it becomes a path outside when normalised: {refusal.words}") from refusal
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not parts:
        raise RefusedError(Reason.EMPTY, "it has no name")
    if len(parts) > max_depth:
        raise RefusedError(Reason.DEPTH, f"it lies {len(parts)} folders deep; {max_depth} are allowed")
    cleaned = [*(clean_name(part) for part in parts[:-1]), clean_name(parts[-1], file=True)]
    if len("/".join(cleaned).encode()) > PATH_BYTES:
        raise RefusedError(Reason.LENGTH, f"its path is longer than {PATH_BYTES} bytes")
    return cleaned


def _check(path: str, *, drives: bool = True) -> None:
    if path.startswith("//"):
        raise RefusedError(Reason.UNC, "its path names a network share or a device")
    if path.startswith("/"):
        raise RefusedError(Reason.ABSOLUTE, "its path is absolute")
    if drives and _DRIVE.match(path):
        raise RefusedError(Reason.DRIVE, "its path names a drive")
    for part in path.split("/"):
        if part == "..":
            raise RefusedError(Reason.PARENT, "its path climbs out with '..'")
        if part != "." and part.rstrip(" .") == "" and part.strip(" ").startswith("."):
            # Windows drops dots and blanks at the end: '.. ' is '..' there.
            raise RefusedError(Reason.ESCAPES, "a part of its path is only dots and blanks")


def clean_name(name: str, *, file: bool = False) -> str:
    """Return a name that every usual file system takes, as near to `name` as can be: at most 255 bytes, NFC.

    Names that mean something to Régie (`originals`, `.regie…`) are changed too: no archive may bring those in.
    """
    text = unicodedata.normalize("NFC", "".join("_" if _is_control(letter) else letter for letter in name))
    text = text.replace("/", "_").replace("\\", "_").rstrip(" .")
    if not text or text.strip(" .") == "":
        text = "_"
    if _RESERVED.match(text) or text.casefold() == ORIGINALS:
        text = "_" + text
    if text.casefold().startswith(_OWN) or (text.startswith(".") and TEMPORARY_SUFFIX in text):
        text = "_" + text[1:]
    return shortened(text, file=file)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} or letter in _BIDIRECTIONAL


def shortened(name: str, *, file: bool, ending: str = "") -> str:
    """Return `name` with `ending` put before its suffix, cut to what a name may be; the suffix of a file is kept."""
    stem, dot, suffix = name.rpartition(".") if file else (name, "", "")
    if not stem or len(suffix.encode()) > SUFFIX_BYTES:
        stem, dot, suffix = name, "", ""
    room = VIDEO_STEM_BYTES if f".{suffix.lower()}" in VIDEO_SUFFIXES else NAME_BYTES - len((dot + suffix).encode())
    room -= len(ending.encode())
    if len(stem.encode()) > room:
        stem = stem.encode()[:room].decode(errors="ignore").rstrip(" .") or "_"
    return f"{stem}{ending}{dot}{suffix}"


class Names:
    """Gives every file of one folder a path of its own, also where case and Unicode forms make no difference.

    Two videos of one folder get different stems too: their results are named after them. The same calls in the same
    order give the same paths.
    """

    def __init__(self) -> None:
        self._taken: dict[str, dict[str, str]] = {}

    def place(self, parts: list[str]) -> PurePosixPath:
        """Return the path for a file that wants the path `parts`."""
        parent = ""
        for part in parts[:-1]:
            name = self._folder(parent, part)
            parent = f"{parent}/{name}" if parent else name
        return PurePosixPath(parent) / self._file(parent, parts[-1])

    def take(self, name: str, parent: str = "") -> None:
        """Note that a file of that name is there already."""
        self._taken.setdefault(parent, {}).update(dict.fromkeys(_keys(name), ""))

    def _file(self, parent: str, wanted: str) -> str:
        taken = self._taken.setdefault(parent, {})
        name, number = wanted, 1
        while any(key in taken for key in _keys(name)):
            # From the last number that this name was given: many equal names must not become quadratic.
            number = max(number, int(taken.get(f"\0number {fold(wanted)}", "1"))) + 1
            taken[f"\0number {fold(wanted)}"] = str(number)
            name = shortened(wanted, file=True, ending=f" {number}")
        self.take(name, parent)
        return name

    def _folder(self, parent: str, wanted: str) -> str:
        taken = self._taken.setdefault(parent, {})
        key = f"\0folder {fold(wanted)}"
        if key not in taken:
            taken[key] = self._free_folder(taken, wanted)
        return taken[key]

    @staticmethod
    def _free_folder(taken: dict[str, str], wanted: str) -> str:
        name, number = wanted, 1
        while fold(name) in taken:
            number += 1
            name = shortened(wanted, file=False, ending=f" {number}")
        taken[fold(name)] = ""
        return name


def _keys(name: str) -> list[str]:
    """Return what a file of that name occupies in its folder: the name and, for a video, the stem."""
    stem, _, suffix = name.rpartition(".")
    if stem and f".{suffix.lower()}" in VIDEO_SUFFIXES:
        return [fold(name), f"\0video {fold(stem)}"]
    return [fold(name)]


def fold(name: str) -> str:
    """Return what two names share that a file system without case would take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
