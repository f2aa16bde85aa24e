"""Phase 1: archives and folders become projects."""

import time
from typing import Any

from prefect import State
from prefect.logging import get_run_logger

from flows.orchestration import conclude, phase_flow
from flows.video.common import Memory
from flows.video.place import Arrival, Place, arriving, at_hand
from lib.errors import InputError
from lib.runs.report import Item, ItemState, PhaseReport
from lib.storage.location import Location
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from tasks.progress import PhaseProgress
from tasks.video import bring_in_source, failure


@phase_flow(VIDEO, "extract")
def extract_phase(source: Location, out: Location, options: VideoOptions) -> State[Any]:
    """Bring every source that `source` holds into the workspace `out` as a project.

    Args:
        source: An archive, a folder of archives and of videos, or a video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.

    """
    with at_hand("extract", source, out, options) as place:
        place.workspace.prepare()
        place.forget_unfinished()
        with arriving(source, place, options) as arrival:
            return conclude(_bring_in_all(arrival, source, place, options))


def _bring_in_all(arrival: Arrival, source: str, place: Place, options: VideoOptions) -> PhaseReport:
    if not arrival.sources and not arrival.known:
        raise InputError(f"There is no archive and no video in {source}.")
    items: list[Item] = [Item(subject=subject, state=ItemState.KEPT) for subject in arrival.known]
    memory = Memory(place, "extract", get_run_logger())
    sizes = {each.name: max(each.size, 1) for each in arrival.sources} | dict.fromkeys(arrival.known, 1)
    with PhaseProgress(sizes) as progress:
        for item in items:
            progress.ended(item)
        for each in arrival.sources:
            started = time.monotonic()
            try:
                item = bring_in_source(each.name, each, place.workspace, options, progress.of(each.name))
            except Exception as error:  # noqa: BLE001  # one bad archive fails itself, not the others
                item = failure(each.name, error)
            item = item.model_copy(update={"seconds": time.monotonic() - started})
            items.append(item)
            memory.remember(item)
            progress.ended(item)
    return PhaseReport(phase="extract", items=tuple(items))
