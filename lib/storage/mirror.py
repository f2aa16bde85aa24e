"""A folder of storage mirrored on this machine, so that work on its files is work on plain files."""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import IO

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, is_temporary, remove, sweep
from lib.progress import Progress, silent
from lib.storage.address import below, name_of
from lib.storage.index import Entry, Index, identity_of
from lib.storage.locks import lock
from lib.storage.names import is_marker, refusals, told
from lib.storage.remote import Object, Remote

AT_ONCE = 4
"""Transfers side by side: small files would wait for one another's answer."""
BOOKS = ".regie"
"""Files and folders whose names begin so say what else is there: they come last."""

Choice = Callable[[Collection[str]], Iterable[str]]
"""Chooses, of the names of all that is in storage, what is to be fetched."""


class Mirror:
    """The mirror of a folder of storage below `home`, for all processes of this machine that work on it.

    Storage is the truth: what lies in the mirror is what storage has, or what was made of it since `pull` and is not
    handed over by `push` yet; not all of storage need be here. Objects whose names cannot be files are left out.
    `private` says which names are a matter of this machine alone.

    A mirror can be removed while nobody works in it: nothing is lost but the time to fetch it again.
    """

    def __init__(self, remote: Remote, home: Path, private: Callable[[str], bool] = lambda _name: False) -> None:
        self.remote = remote
        self.url = remote.url
        self._place = home / hashlib.sha256(f"{remote.deep} {remote.url}".encode()).hexdigest()[:32]
        self.folder = self._place / name_of(remote.url)
        self._private = private
        self._stop = threading.Event()
        self._seen: Mapping[str, Object] = {}

    @contextlib.contextmanager
    def opened(self) -> Iterator["Mirror"]:
        """Let the block work in the mirror.

        Who is alone there first forgets what a process that was killed did not hand over: somebody else may have done
        it since. On a disk without locks nobody is known to be alone.
        """
        self._stop.clear()
        try:
            users = self._entered()
        except OSError as error:
            raise InputError(
                f"The mirror of {self.url} cannot be written to {self._place.parent}: {error.strerror}. Free some "
                "space there, or give Régie another home."
            ) from error
        with users:
            try:
                yield self
            finally:
                self._stop.set()
                os.utime(self._place / "users")

    def pull(self, *choices: Choice, progress: Progress = silent, at_most: float = float("inf")) -> Mapping[str, str]:
        """Fetch what the choices want, one after the other, where it is not here as it is in storage.

        Returns what is left out for its name, and why.

        A later choice may read what an earlier one fetched. What is gone from storage goes from the mirror too; what
        was made here and not handed over yet stays as it is. Progress is in bytes. TooMuchError when a choice would
        fetch more bytes than `at_most`.
        """
        with self._compared() as index:
            objects = {n: o for n, o in self.remote.list().items() if not self._is_ours(n) and not is_marker(n)}
            refused = refusals(objects, cases_apart=not (self._place / "INDEX.DB").exists())
            for name in refused:
                del objects[name]
            self._seen = objects
            wanting = self._outdated(index, objects)
            for choice in choices:
                wanted = [name for name in choice(tuple(objects)) if name in wanting]
                if sum(objects[name].size for name in wanted) > at_most:
                    raise TooMuchError
                self._fetch(index, {name: objects[name] for name in wanted}, progress)
                wanting.difference_update(wanted)
        return refused

    def push(self, progress: Progress = silent) -> int:
        """Hand over every file that was made or changed here, and remove from storage what went; return how many.

        New files come before changed ones, and what says that they are there comes after them: whoever is stopped in
        between has lost no file, and promised none that is not there. Progress is in bytes.
        """
        with self._compared() as index:
            if not self.folder.is_dir():
                raise InputError(f"The mirror of {self.url} was removed while a run worked in it. Run again.")
            known = index.entries()
            # Others work here too: what a book that is seen first promises is there when the rest is looked at.
            here = {name: facts for name, facts in self._files() if _is_book(name)}
            here |= {name: facts for name, facts in self._files() if not _is_book(name)}
            new = {n for n, facts in here.items() if n not in known or known[n].identity != identity_of(facts)}
            refused = refusals(new)
            changed = sorted(new - refused.keys())
            stages: list[list[str]] = [[], [], []]
            for name in changed:
                stages[2 if _is_book(name) else 1 if name in known else 0].append(name)
            total = sum(here[name].st_size for name in changed)
            meter = _Meter(self._stop, progress, total)
            for stage in stages:
                self._each(stage, lambda name: self._hand_over(name, here[name], meter), index)
            gone = [name for name in known if name not in here and not os.path.lexists(self.folder / name)]
            for name in gone:
                self.remote.delete([name])
                index.forget(name)
            if refused:
                raise InputError(f"What cannot be kept in {self.url} by its name: {told(refused)}. Rename it.")
        return len(changed) + len(gone)

    def fetch(self, choice: Choice) -> None:
        """Fetch some more of what the last `pull` saw, unless it is here."""
        with self._compared() as index:
            known = index.entries()
            chosen = choice(tuple(self._seen))
            wanted = [n for n in chosen if n not in known and not os.path.lexists(self.folder / n)]
            self._fetch(index, {name: self._seen[name] for name in wanted}, silent)

    def forget(self, folder: Path) -> None:
        """Remove a folder of the mirror here, and not in storage."""
        start = f"{folder.relative_to(self.folder).as_posix()}/"
        with self._compared() as index:
            index.forget(*(name for name in index.entries() if name.startswith(start)))
            shutil.rmtree(folder, ignore_errors=True)

    def url_of(self, path: Path) -> str:
        """Return the URL of what the path in the mirror stands for."""
        return below(self.url, "" if path == self.folder else path.relative_to(self.folder).as_posix())

    def _entered(self) -> IO[str]:
        """Return a hold on the mirror that others can share; who had it alone has discarded what was left there."""
        while True:
            users: IO[str] | None = None
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self._place / "url").write_text(self.url, "utf-8")
                users = (self._place / "users").open("a")
                if _alone(users) and self._is_here(users):
                    with self._compared() as index:
                        self._discard(index)
                lock(users, fcntl.LOCK_SH)  # for a moment it is nobody's then, and may be removed to make room
                if self._is_here(users):
                    return users
            except FileNotFoundError:
                pass  # it was removed just now
            except BaseException:
                if users:
                    users.close()
                raise
            if users:
                users.close()
            time.sleep(0.01)

    def _is_here(self, users: IO[str]) -> bool:
        """Whether a hold is on the mirror as it is, not on one that was removed."""
        return os.path.samestat(os.fstat(users.fileno()), (self._place / "users").stat())

    @contextlib.contextmanager
    def _compared(self) -> Iterator[Index]:
        """Let the block compare and transfer, one process or thread at a time."""
        with (self._place / "lock").open("a") as handle:
            lock(handle, fcntl.LOCK_EX)
            with Index(self._place / "index.db") as index:
                yield index

    def _is_ours(self, name: str) -> bool:
        return self._private(name) or any(is_temporary(Path(part)) for part in name.split("/"))

    def _files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the files of the mirror that are storage's matter; a link is none."""
        for place, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not is_temporary(Path(name))]
            for name in names:
                path = Path(place, name)
                with contextlib.suppress(FileNotFoundError):
                    facts = path.lstat()
                    own = path.relative_to(self.folder).as_posix()
                    if stat.S_ISREG(facts.st_mode) and not self._is_ours(own):
                        yield own, facts

    def _discard(self, index: Index) -> None:
        """Remove what was not handed over."""
        sweep(self.folder)
        known, here = index.entries(), dict(self._files())
        for name, facts in here.items():
            if name not in known or known[name].identity != identity_of(facts):
                remove(self.folder / name, self.folder)
                index.forget(name)
        index.forget(*(known.keys() - here.keys()))

    def _outdated(self, index: Index, objects: Mapping[str, Object]) -> set[str]:
        """Return what could be fetched; remove what is here as storage had it once."""
        wanting: set[str] = set()
        known = index.entries()
        for name in sorted(known.keys() | objects.keys(), reverse=True):  # what lies in a folder before the folder
            entry, there, path = known.get(name), objects.get(name), self.folder / name
            try:
                facts = path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                # It may have been removed by who works here, which is for them to hand over.
                if entry is None:
                    wanting.add(name)
                continue
            if entry is None or entry.identity != identity_of(facts):
                continue  # made here, not handed over yet
            if there is None or there.version != entry.version:
                remove(path, self.folder)
                index.forget(name)
                if there is not None:
                    wanting.add(name)
        return wanting

    def _fetch(self, index: Index, objects: Mapping[str, Object], progress: Progress) -> None:
        meter = _Meter(self._stop, progress, sum(there.size for there in objects.values()))

        def fetch(name: str) -> Entry:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.parent / f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}"
            try:
                there = self.remote.get(name, temporary, objects[name], meter.of(name))
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            return Entry(there.version, identity_of(target.lstat()))

        self._each(sorted(objects), fetch, index)

    def _hand_over(self, name: str, facts: os.stat_result, meter: "_Meter") -> Entry | None:
        path = self.folder / name
        try:
            if _is_book(name) and identity_of(path.lstat()) != identity_of(facts):
                return None  # it may promise by now what was not looked at: who wrote it hands it over
            there = self.remote.put(name, path, meter.of(name))
        except FileNotFoundError:
            return None
        except InputError:
            if not path.exists():
                return None  # who works here has just replaced it by another
            raise
        return Entry(there.version, identity_of(facts))

    def _each(self, names: Iterable[str], work: Callable[[str], Entry | None], index: Index) -> None:
        """Do work on some files side by side, and note each that is done; the first failure ends it."""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="transfer") as threads:
            tasks: dict[Future[Entry | None], str] = {threads.submit(work, name): name for name in names}
            try:
                for task in as_completed(tasks):
                    if entry := task.result():
                        index.record(tasks[task], entry)
            except BaseException:
                self._stop.set()
                threads.shutdown(wait=True, cancel_futures=True)
                self._stop.clear()
                for task, name in tasks.items():
                    if task.done() and not task.cancelled() and task.exception() is None and (entry := task.result()):
                        index.record(name, entry)
                raise


class TooMuchError(Exception):
    """More would have to be fetched than was allowed; nothing was."""


class _StoppedError(Exception):
    """Ends a transfer whose result nobody waits for."""


class _Meter:
    """Adds up the bytes of transfers side by side."""

    def __init__(self, stop: threading.Event, progress: Progress, total: int) -> None:
        self._stop = stop
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def of(self, name: str) -> Callable[[int], None]:
        """Return what is told the bytes moved of one file; it raises when the transfer is to end."""

        def moved(count: int) -> None:
            if self._stop.is_set():
                raise _StoppedError
            with self._lock:
                self._done = min(self._done + count, self._total)
                done = self._done
            self._progress(done, self._total, name)

        return moved


def trim(home: Path, limit_bytes: float) -> int:
    """Remove mirrors, the one that was used least recently first, until all together keep the limit; return how many.

    One that somebody works in stays, whatever its size.
    """
    found = []
    for users in home.glob("*/users"):
        with contextlib.suppress(OSError):
            found.append((users.stat().st_mtime, users.parent, _size(users.parent)))
    excess = sum(size for _, _, size in found) - limit_bytes
    removed = 0
    for _, place, size in sorted(found):
        if excess <= 0:
            break
        with contextlib.suppress(OSError), (place / "users").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            aside = place.with_name(f".{secrets.token_hex(6)}{TEMPORARY_SUFFIX}")
            place.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
            excess -= size
            removed += 1
    return removed


def _size(folder: Path) -> int:
    """Return the bytes of files, those of several names once."""
    sizes: dict[int, int] = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            facts = path.lstat()
            sizes[facts.st_ino] = facts.st_size if stat.S_ISREG(facts.st_mode) else 0
    return sum(sizes.values())


def _alone(users: IO[str]) -> bool:
    """Lock a mirror for one, unless others work in it; False too where that cannot be known."""
    try:
        return lock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False


def _is_book(name: str) -> bool:
    return any(part.startswith(BOOKS) for part in name.split("/"))
