"""Where the phases of `video` work: the output folder itself, or the mirror of one in storage elsewhere."""

import contextlib
import hashlib
import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from prefect import State
from prefect.logging import get_run_logger
from prefect.states import Failed

from flows.stopping import Disowned, Stop, Stopped, is_alone, own_parent, own_run, own_stop
from lib import containers
from lib.progress import Progress
from lib.settings import settings
from lib.storage import (
    Mirror,
    TakenOverError,
    TooMuchError,
    checked,
    connect,
    folder_of,
    held,
    is_url,
    name_of,
    require_not_taken_over,
    trim,
)
from lib.storage.mirror import Choice
from lib.storage.names import told
from lib.video import stored
from lib.video.brought import brought, note, projects_from
from lib.video.extract.finding import Source, find_sources
from lib.video.extract.formats import name_without_suffixes
from lib.video.extract.manifest import Manifest
from lib.video.hashes import HashBook
from lib.video.options import VideoOptions
from lib.video.workspace import GOOD, Workspace

__all__ = ["Arrival", "Place", "TakenOverError", "TooMuchError", "arriving", "at_hand", "claimed", "options_of"]

SECONDS_BETWEEN_WORDS = 10.0


@dataclass(frozen=True)
class Place:
    """A workspace at hand on this machine."""

    workspace: Workspace
    mirror: Mirror | None = None
    """Of what `workspace` is, when it is in storage elsewhere."""
    run: str | None = None
    """Id of the run that holds it for who works here."""

    def share(self) -> None:
        """Hand over what was made.

        InputError when storage does not take it; TakenOverError when another run took the output folder over.
        """
        if self.mirror:
            self.require_held()
            self.mirror.push(_telling("Handed over to", self.mirror.url))

    def require_held(self) -> None:
        """Raise TakenOverError when another run took the output folder over."""
        if self.mirror and self.run:
            require_not_taken_over(self.mirror.remote, self.run)

    def fetch_archived(self, video: Path) -> None:
        """Have the archived results of a video at hand, by its content."""
        if self.mirror:
            sha256 = HashBook(settings().cache / "hashes.db").sha256(video)
            self.mirror.fetch(partial(stored.archived, sha256))

    def forget_unfinished(self) -> None:
        """Forget projects whose coming in was cut short while they were handed over: they come in again, as they were.

        What says what a project is comes last, so they have none.
        """
        if self.mirror:
            for project in self.workspace.projects.iterdir():
                if Manifest.read(project) is None:
                    self.mirror.forget(project)

    def clean(self) -> None:
        """Remove the temporary files of processes that were killed; only a run that is alone here calls it."""
        self.workspace.clean()
        if self.mirror:
            self.mirror.remote.sweep()


@contextlib.contextmanager
def claimed(out: str) -> Iterator[Place]:
    """Hold the output folder for this run; InputError when another one holds it, on whatever machine."""
    with _opened(out) as place, place.workspace.locked(str(own_run())), contextlib.ExitStack() as stack:
        if place.mirror:
            lost = partial(_end, own_stop(), place.mirror.url, alone=is_alone(own_run()))
            stack.enter_context(held(place.mirror.remote, str(own_run()), lost))
        yield place


def _end(stop: Stop, url: str, again: bool, *, alone: bool) -> None:
    """End a run that lost its hold, and not with it a program that called its flow.

    When it is the same run `again` that holds the folder, another process works on that: there is nothing to say of it.
    """
    stop.ask(partial(_taken_over, url), raised=Disowned if again and alone else Stopped)


def _taken_over(url: str) -> State[Any]:
    return Failed(
        message=f"Another run took over {url}, for it saw no sign of this one. What was handed over is kept: once the "
        "other one has ended, start this one again."
    )


@contextlib.contextmanager
def at_hand(phase: str, source: str, out: str, options: VideoOptions, at_most: float = float("inf")) -> Iterator[Place]:
    """Give the workspace with all that a phase needs at hand; what it made is handed over when the block ends well.

    TooMuchError when more than `at_most` bytes would have to be fetched; TakenOverError when another run than that of
    the phase holds the folder by now; InputError in a container that does not share these folders.
    """
    if containers.is_inside():
        containers.require_shared(source, out)
    with _opened(out) as opened:
        place = replace(opened, run=own_parent())
        place.require_held()
        if place.mirror:

            def needed(names: Collection[str]) -> Iterator[str]:
                return stored.needed_by(phase, names, projects_from(source, place.workspace, options.extract))

            _pull(place.mirror, stored.books, needed, at_most=at_most)
            place.workspace.prepare()
        yield place
        place.share()


@dataclass(frozen=True)
class Arrival:
    """What a source holds, at hand."""

    sources: Sequence[Source] = ()
    known: Sequence[str] = ()
    """Subjects, in place of `sources`, when all of it came in before and nothing has changed since."""


@contextlib.contextmanager
def arriving(source: str, place: Place, options: VideoOptions) -> Iterator[Arrival]:
    """Give what a source holds: fetched first when it is in storage elsewhere, unless it is known and unchanged.

    When the block ends well, what came of it is noted for the later phases, and archives that were deleted here on
    request are deleted there.
    """
    if not is_url(source):
        yield Arrival(find_sources(Path(source), options.extract))
        return
    given = checked(source)
    alone = connect(given, options_of(given)).is_file()
    mirror = stored.mirror_of(
        folder_of(given) if alone else given, options_of(given), settings().mirrors, deep=not alone
    )
    wanted = partial(_with_volumes, name_of(given)) if alone else stored.of_a_source
    state = _state(mirror, wanted, options)
    known = brought(source, place.workspace)
    if known and known.state == state and len(projects_from(source, place.workspace, options.extract)):
        yield Arrival(known=tuple(known.files))
        return
    with _opened_mirror(mirror):
        _pull(mirror, wanted)
        path = mirror.folder / name_of(given) if alone else mirror.folder
        found = [replace(each, origin=mirror.url_of(each.path)) for each in find_sources(path, options.extract)]
        yield Arrival(found)
        outcomes = place.workspace.outcomes("extract")
        complete = all(each.name in outcomes and outcomes[each.name].state in GOOD for each in found)
        note(source, place.workspace, found, state if complete else "")
        if options.extract.delete_archive:
            place.share()  # nothing is deleted before all that came of it is safe
            mirror.push()


@contextlib.contextmanager
def _opened(out: str) -> Iterator[Place]:
    if not is_url(out):
        yield Place(Workspace(Path(out)))
        return
    mirror = stored.mirror_of(out, options_of(out), settings().mirrors)
    with _opened_mirror(mirror):
        yield Place(Workspace(mirror.folder, mirror.url), mirror)


@contextlib.contextmanager
def _opened_mirror(mirror: Mirror) -> Iterator[None]:
    with mirror.opened():
        trim(settings().mirrors, settings().mirror_limit_gb * 1e9)
        yield


def options_of(url: str) -> dict[str, Any]:
    """Return fsspec's options for a URL, credentials among them; none for a path."""
    if not is_url(url):
        return {}

    from blocks.storage import storage_options

    return storage_options(url)


def _pull(mirror: Mirror, *choices: Choice, at_most: float = float("inf")) -> None:
    """Fetch what is wanted, and tell what is left out."""
    refused = mirror.pull(*choices, progress=_telling("Fetched from", mirror.url), at_most=at_most)
    if refused:
        get_run_logger().warning("Left out of %s: %s. Rename them to use them.", mirror.url, told(refused))


def _telling(what: str, url: str) -> Progress:
    """Return a progress that says in the log, now and then, how far a transfer is."""
    logger = get_run_logger()
    said = time.monotonic()

    def tell(done: int, total: int, item: str = "") -> None:
        nonlocal said
        if time.monotonic() - said >= SECONDS_BETWEEN_WORDS:
            said = time.monotonic()
            logger.info("%s %s: %.1f of %.1f MB", what, url, done / 1e6, total / 1e6)

    return tell


def _with_volumes(file: str, names: Collection[str]) -> Iterator[str]:
    """Choose a file, and what may be further volumes of the same archive."""
    whole = name_without_suffixes(Path(file))
    return (name for name in names if name == file or name_without_suffixes(Path(name)) == whole)


def _state(mirror: Mirror, wanted: Choice, options: VideoOptions) -> str:
    """Return the identity of all that a source holds, and of how it is to come in."""
    objects = mirror.remote.list()
    found = sorted((name, objects[name].version) for name in wanted(tuple(objects)))
    return hashlib.sha256(json.dumps([found, options.extract.model_dump(mode="json")]).encode()).hexdigest()
