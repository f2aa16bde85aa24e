"""The orchestrator of `video`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from prefect import State
from prefect.runtime import flow_run as runtime
from prefect.states import Failed
from pydantic import Field

from flows.orchestration import run_phases, verdict, workflow_flow
from flows.page import RunPage
from flows.video.common import idle
from flows.video.place import claimed, options_of
from lib import containers
from lib.errors import InputError
from lib.runs.plan import Phase, PlanError
from lib.storage.location import Location
from lib.video.needed import require_needed
from lib.video.options import VideoOptions
from lib.video.outcome import failures_of, outputs_of
from lib.video.plan import VIDEO
from lib.video.stored import seen
from lib.video.summary import results_markdown

PhaseNumber = Annotated[int, Field(ge=VIDEO.phases[0].number, le=VIDEO.phases[-1].number, title="Phase")]
"""Prefect's pages show its limits, and refuse other numbers."""


def _run_name() -> str:
    return f"video · {Path(runtime.parameters['source']).name}"


@workflow_flow("video", _run_name)
def video_pipeline(
    source: Location,
    out: Location,
    options: VideoOptions | None = None,
    only: list[PhaseNumber] | None = None,
    first: PhaseNumber | None = None,
    last: PhaseNumber | None = None,
    inline: bool = False,
) -> State[Any]:
    """From archives of rushes to scene cuts, speakers, faces, reduced files, an archive and a report.

    Args:
        source: An archive, a folder of archives and of videos, or a video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.
        only: Numbers of the phases to run: 3 and 4, say.
        first: Number of the first phase to run.
        last: Number of the last phase to run.
        inline: Whether to run every phase in one process.

    """
    options = options or VideoOptions()
    page = RunPage(VIDEO)
    try:
        chosen = VIDEO.select(only or (), first, last)
        if not inline or containers.is_inside():
            containers.require_shared(source, out)
        with claimed(out) as place:
            if len(chosen) < len(VIDEO.phases):
                with seen(out, options_of(out)) as workspace:
                    require_needed(chosen, source, workspace, options.extract)
            ended = run_phases(
                VIDEO,
                chosen,
                {"source": source, "out": out, "options": options},
                inline=inline,
                subject=Path(source).name,
                moved_on=page.refresh,
                idle=lambda phase: idle(phase, source, out, options),
                alone=place.clean,
            )
    except (InputError, PlanError) as error:
        return Failed(message=str(error))
    page.write(_results(source, out, chosen, options))
    return verdict(chosen, ended)


def _results(source: str, out: str, phases: Sequence[Phase], options: VideoOptions) -> str:
    """Return what the page says below the phases; nothing of a source that is none: its first phase said so."""
    try:
        storage = options_of(out)
        failures = failures_of(source, out, [phase.key for phase in phases], options.extract, storage)
        outputs = outputs_of(source, out, options.extract, storage)
    except InputError:
        return ""
    reports = [each["files"]["report"] for each in outputs if not each["video"] and "report" in each["files"]]
    return results_markdown(failures, reports)
