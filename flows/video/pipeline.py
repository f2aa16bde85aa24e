"""The orchestrator of `video`."""

from pathlib import Path
from typing import Annotated, Any

from prefect import State, flow
from prefect.runtime import flow_run as runtime
from prefect.states import Failed
from pydantic import Field

from flows.orchestration import run_phases, verdict
from flows.page import RunPage
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
    source: Annotated[
        str, Field(title="Source", description="An archive, a folder of them and of videos, or a video.")
    ],
    out: Annotated[str, Field(title="Output folder", description="Where projects, results and archives are kept.")],
    options: Annotated[VideoOptions | None, Field(title="Options", description="One group per phase.")] = None,
    only: Annotated[list[int] | None, Field(title="Only", description="Numbers of the phases to run.")] = None,
    first: Annotated[int | None, Field(title="From", description="Number of the first phase to run.")] = None,
    last: Annotated[int | None, Field(title="To", description="Number of the last phase to run.")] = None,
    inline: Annotated[bool, Field(title="Inline", description="Run every phase in one process.")] = False,
) -> State[Any]:
    """From archives of rushes to scene cuts, speakers, faces, reduced files, an archive and a report."""
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
            )
    except (InputError, PlanError) as error:
        return Failed(message=str(error))
    page.write(results_markdown(workspace, chosen))
    return verdict(chosen, ended)
