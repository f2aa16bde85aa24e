"""What the phases of `video` have in common: which videos they work on, and how a batch goes on when one fails."""

import time
from collections.abc import Callable, Iterable, Mapping
from logging import Logger, LoggerAdapter
from pathlib import Path
from typing import Any

from prefect import Flow, State
from prefect.logging import get_run_logger

from blocks.secrets import audio_secrets
from flows.orchestration import conclude
from flows.video.place import Place, TakenOverError, TooMuchError, at_hand
from lib import environments
from lib.errors import InputError
from lib.progress import Progress
from lib.runs.plan import Phase
from lib.runs.report import Item, ItemState, PhaseReport
from lib.settings import settings
from lib.video.analysis import analysis_of
from lib.video.audio.options import Secrets
from lib.video.brought import projects_from
from lib.video.current import all_current
from lib.video.media import probe
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from lib.video.results import find_videos
from lib.video.workspace import Workspace
from tasks.progress import PhaseProgress
from tasks.video import analyse, failure

BYTES_TO_LOOK_AT = 64e6
"""Fetching more takes longer than sending an idle phase elsewhere."""


def projects_of(source: str, workspace: Workspace, options: VideoOptions) -> list[Path]:
    """Return the projects that a source became; InputError when there is none yet."""
    projects = projects_from(source, workspace, options.extract)
    if not projects:
        raise InputError(f"Nothing of {source} is in {workspace.address()} yet: run phase 1 (extract) first.")
    return projects


def videos_of(source: str, workspace: Workspace, options: VideoOptions) -> list[Path]:
    """Return the videos of the projects that a source became."""
    return [video for project in projects_of(source, workspace, options) for video in find_videos(project)]


def frames_of(videos: Iterable[Path]) -> dict[Path, float]:
    """Return the size of the work on each video, in frames; one frame where the video cannot be read."""
    sizes: dict[Path, float] = {}
    for video in videos:
        try:
            sizes[video] = max(probe(video).frames, 1)
        except InputError:
            sizes[video] = 1
    return sizes


def run_analysis(phase: str, source: str, out: str, options: VideoOptions) -> PhaseReport:
    """Make one analysis of every video of the workspace that could be converted."""
    analysis = analysis_of(phase, secrets_of(phase))
    with at_hand(phase, source, out, options) as place:

        def work(subject: str, video: Path, progress: Progress) -> Item:
            place.fetch_archived(video)
            return analyse(subject, phase, analysis, video, place.workspace, options, progress)

        return run_batch(phase, place, frames_of(videos_of(source, place.workspace, options)), work, needs="convert")


def secrets_of(phase: str) -> Secrets:
    """Return the secrets that the engines of a phase are given; its log says what is wrong with a block."""
    return audio_secrets(get_run_logger().warning) if phase == "audio" else Secrets()


def idle(phase: Phase, source: str, out: str, options: VideoOptions) -> Flow[..., Any] | None:
    """Return a flow that says that every result of an analysis is there already; None when one is not.

    None also when it would take long to find out: since much of the workspace is not at hand here, or since a container
    would have to be asked, which takes as long as the phase then takes to find nothing to do.
    """
    if settings().profile == "docker":
        return None
    try:
        with at_hand(phase.key, source, out, options, at_most=BYTES_TO_LOOK_AT) as place:
            return _idle(phase, source, place.workspace, options)
    except TooMuchError:
        return None


def _idle(phase: Phase, source: str, workspace: Workspace, options: VideoOptions) -> Flow[..., Any] | None:
    python = environments.python(phase.environment, settings().environments)
    failed = {s for s, item in workspace.outcomes("convert").items() if item.state is ItemState.FAILED}
    try:
        videos = [v for v in videos_of(source, workspace, options) if workspace.subject(v) not in failed]
    except InputError:
        return None  # the phase itself will say what is wrong
    if not all_current(phase.key, videos, options, python, secrets_of(phase.key)):
        return None

    def keep(subject: str, video: Path, progress: Progress) -> Item:
        return workspace.outcomes(phase.key).get(subject) or Item(subject=subject, state=ItemState.KEPT)

    def keep_all(source: str, out: str, options: VideoOptions) -> State[Any]:
        with at_hand(phase.key, source, out, options) as place:
            sizes = frames_of(videos_of(source, place.workspace, options))
            return conclude(run_batch(phase.key, place, sizes, keep, needs="convert"))

    return Flow(keep_all, name=VIDEO.flow_name(phase), persist_result=False)


class Memory:
    """Remembers in a workspace what becomes of each item of a phase, as soon as it is known, and hands it over.

    What the disk or the storage does not take (it is full, say) is tried again with the next item: it ends no phase.
    That another run took the storage over does end it.
    """

    def __init__(self, place: Place, phase: str, logger: Logger | LoggerAdapter[Logger]) -> None:
        self._place = place
        self._phase = phase
        self._logger = logger
        self._waiting: list[Item] = []

    def remember(self, item: Item) -> None:
        """Remember one more item."""
        self._waiting.append(item)
        try:
            self._place.workspace.record(PhaseReport(phase=self._phase, items=tuple(self._waiting)))
        except OSError as error:
            self._logger.warning("What became of %s could not be written: %s", item.subject, error.strerror)
        else:
            self._waiting.clear()
        try:
            self._place.share()
        except TakenOverError:
            raise
        except InputError as error:
            self._logger.warning("What was made of %s is not handed over yet: %s", item.subject, error)


def run_batch(
    phase: str,
    place: Place,
    sizes: Mapping[Path, float],
    work: Callable[[str, Path, Progress], Item],
    *,
    needs: str | None = None,
) -> PhaseReport:
    """Do `work` on each video; one that fails is named with its reason and the others go on.

    A video on which the phase `needs` failed is skipped. The outcomes are remembered in the workspace, item by item, so
    that a run that is killed has said what it did.
    """
    logger, workspace = get_run_logger(), place.workspace
    hindered = {
        subject: item
        for subject, item in (workspace.outcomes(needs) if needs else {}).items()
        if item.state is ItemState.FAILED
    }
    subjects = {workspace.subject(video): video for video in sizes}
    items: list[Item] = []
    memory = Memory(place, phase, logger)
    with PhaseProgress({subject: sizes[video] for subject, video in subjects.items()}) as progress:
        for subject, video in subjects.items():
            if subject in hindered:
                item = Item(
                    subject=subject, state=ItemState.SKIPPED, reason=f"{needs} failed on it: {hindered[subject].reason}"
                )
            else:
                started = time.monotonic()
                try:
                    item = work(subject, video, progress.of(subject))
                except Exception as error:  # noqa: BLE001  # one bad file fails itself, not its batch
                    item = failure(subject, error)
                    logger.warning("%s: %s", subject, item.reason)
                item = item.model_copy(update={"seconds": item.seconds or time.monotonic() - started})
            items.append(item)
            memory.remember(item)
            progress.ended(item)
    return PhaseReport(phase=phase, items=tuple(items))
