"""The orchestrator of `video`."""

from pathlib import Path
from typing import Any

from prefect import State, flow
from prefect.runtime import flow_run as runtime
from prefect.states import Failed

from flows.orchestration import run_phases, verdict
from flows.page import RunPage
from flows.video.common import idle
from lib.errors import InputError
from lib.runs.plan import PlanError
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from lib.video.summary import results_markdown
from lib.video.workspace import Workspace


def _run_name() -> str:
    return f"video · {Path(runtime.parameters['source']).name}"


@flow(name="video", flow_run_name=_run_name, persist_result=False, retries=0)
def video_pipeline(
    source: str,
    out: str,
    options: VideoOptions | None = None,
    only: list[int] | None = None,
    first: int | None = None,
    last: int | None = None,
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
    workspace = Workspace(Path(out))
    page = RunPage(VIDEO)
    try:
        chosen = VIDEO.select(only or (), first, last)
        with workspace.locked():
            ended = run_phases(
                VIDEO,
                chosen,
                {"source": source, "out": out, "options": options},
                inline=inline,
                subject=Path(source).name,
                moved_on=page.refresh,
                idle=lambda phase: idle(phase, source, workspace, options),
            )
    except (InputError, PlanError) as error:
        return Failed(message=str(error))
    page.write(results_markdown(workspace, chosen))
    return verdict(chosen, ended)
