"""The folder that one run of `video` works in, and what became of each item there."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from lib.errors import InputError
from lib.files import replacing, sweep
from lib.runs.report import Item, ItemState, PhaseReport
from lib.storage.address import below
from lib.storage.locks import lock

GOOD = frozenset({ItemState.DONE, ItemState.KEPT})
_ITEMS = TypeAdapter(dict[str, Item])


@dataclass(frozen=True)
class Workspace:
    """The output folder of a run, named by `--out`, or its mirror."""

    root: Path
    url: str = ""
    """Of the folder in storage that `root` mirrors."""

    @property
    def projects(self) -> Path:
        """Where the projects are worked on."""
        return self.root / "projects"

    @property
    def output(self) -> Path:
        """Where finished projects are copied to."""
        return self.root / "output"

    @property
    def archives(self) -> Path:
        """Where results are kept by the content of their video."""
        return self.root / "archives"

    @property
    def security_log(self) -> Path:
        """Every archive member that was refused, and why."""
        return self.root / "security.jsonl"

    @property
    def _state(self) -> Path:
        return self.root / ".regie"

    def address(self, path: Path | None = None) -> str:
        """Return where a path of the workspace is for people and other machines: by default the workspace itself."""
        place = self.root if path is None else path
        if not self.url:
            return str(place.absolute())
        return below(self.url, "" if place == self.root else place.relative_to(self.root).as_posix())

    def prepare(self) -> None:
        """Make the folders; InputError when the output folder cannot be written."""
        try:
            for folder in (self.projects, self.output, self.archives, self._state):
                folder.mkdir(parents=True, exist_ok=True)
            with (self._state / "lock").open("a"):
                pass
        except OSError as error:
            raise InputError(
                f"The output folder {self.address()} cannot be written: {error.strerror}. {_advice(error)}"
            ) from error

    def clean(self) -> None:
        """Remove what killed processes left half-written; only a run that is alone here calls it."""
        for folder in (self.projects, self._state):
            sweep(folder)

    def subject(self, path: Path) -> str:
        """Return the name of an item in reports: its path below the projects, in letters that can be written."""
        return os.fsencode(path.relative_to(self.projects)).decode("utf-8", "backslashreplace")

    @contextlib.contextmanager
    def locked(self, owner: str = "") -> Iterator[None]:
        """Hold the workspace for one run; InputError when another run holds it.

        The lock goes with the process, however it ends, but that of a machine that is gone may stay on the folder that
        it shared. `owner` is the id of the run: what an earlier attempt at the same run holds is taken from it, for its
        process is known to be gone, or about to end.
        """
        self.prepare()
        try:
            held = _lock(self._state / "lock", owner)
        except BlockingIOError as error:
            raise InputError(
                f"Another run works in {self.address()}. Wait for it to end, or give another output folder."
            ) from error
        with held:
            yield

    def outcomes(self, phase: str) -> dict[str, Item]:
        """Return what became of each item when `phase` last worked on it, by subject."""
        try:
            return _ITEMS.validate_json(self._outcomes_file(phase).read_bytes())
        except (OSError, ValidationError):
            return {}

    def record(self, report: PhaseReport) -> None:
        """Remember what became of the items of a phase; items that it did not touch keep their last outcome.

        An item that was kept keeps the outcome of the work that made its result, and one that fails again for the same
        reason its first failure: a second run changes nothing here.
        """
        known = self.outcomes(report.phase)
        new = {i.subject: i for i in report.items if not _says_nothing_new(i, known.get(i.subject))}
        if not new:
            return
        known |= new
        target = self._outcomes_file(report.phase)
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            temporary.write_bytes(_ITEMS.dump_json(known, indent=1))

    def _outcomes_file(self, phase: str) -> Path:
        return self._state / "outcomes" / f"{phase}.json"


def _lock(path: Path, owner: str) -> IO[str]:
    """Return a file that is locked until it is closed; BlockingIOError when another owner holds it."""
    while True:
        file = path.open("a+")
        try:
            known = lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            with file:
                if not owner or file.read() != owner:
                    raise
                if _is_at(path, file):  # and not a new one, which another has made since
                    path.unlink(missing_ok=True)  # a lock is one of the file, not of its name: the next file has none
            continue
        if not known:
            return file  # go on without
        if _is_at(path, file):
            file.truncate(0)
            file.write(owner)
            file.flush()
            return file
        file.close()


def _is_at(path: Path, file: IO[str]) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _says_nothing_new(item: Item, earlier: Item | None) -> bool:
    if earlier is None:
        return False
    if item == earlier:
        return True
    if item.state is ItemState.KEPT:
        return earlier.state in GOOD
    return item.state not in GOOD and (item.state, item.reason) == (earlier.state, earlier.reason)


def _advice(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "Free some space on that disk."
    return "Give a folder that you may write to."
