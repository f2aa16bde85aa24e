"""Phase 1: archives and folders become projects."""

import time
from pathlib import Path
from typing import Any

from prefect import State
from prefect.logging import get_run_logger

from flows.orchestration import conclude, phase_flow
from flows.video.common import Memory
from lib.errors import InputError
from lib.runs.report import Item, PhaseReport
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from lib.video.sources import find_sources
from lib.video.workspace import Workspace
from tasks.progress import PhaseProgress
from tasks.video import bring_in_source, failure


@phase_flow(VIDEO, "extract")
def extract_phase(source: str, out: str, options: VideoOptions) -> State[Any]:
    """Bring every source that `source` holds into the workspace `out` as a project.

    Args:
        source: An archive, a folder of archives and of videos, or a video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.

    """
    workspace = Workspace(Path(out))
    workspace.prepare()
    sources = find_sources(Path(source), options.extract)
    if not sources:
        raise InputError(f"There is no archive and no video in {source}.")
    items: list[Item] = []
    memory = Memory(workspace, "extract", get_run_logger())
    with PhaseProgress({each.name: max(each.size, 1) for each in sources}) as progress:
        for each in sources:
            started = time.monotonic()
            try:
                item = bring_in_source(each.name, each, workspace, options, progress.of(each.name))
            except Exception as error:  # noqa: BLE001  # one bad archive fails itself, not the others
                item = failure(each.name, error)
            item = item.model_copy(update={"seconds": time.monotonic() - started})
            items.append(item)
            memory.remember(item)
            progress.ended(item)
    return conclude(PhaseReport(phase="extract", items=tuple(items)))
