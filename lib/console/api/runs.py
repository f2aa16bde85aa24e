"""GET /api/v1/runs: the list of runs, and the status of one."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BeforeValidator

from lib.console.api.paging import MOST, fitting
from lib.console.context import Here
from lib.console.problems import declared
from lib.runs.listing import RunList, read_runs
from lib.runs.reader import read_status
from lib.runs.status import RunState, RunStatus

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])


def _written(given: Any) -> Any:
    if isinstance(given, str) and not given[:10].count("-") == 2:
        raise ValueError("write a date and a time with its zone: 2026-01-31T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A date and a time; unlike pydantic's own, never a number of seconds, which OpenAPI does not allow either."""

RUNS = 50
"""Runs on a page when nobody says how many."""

RunId = Annotated[str, Path(max_length=100, description="The id of a run, or `latest`.", examples=["latest"])]


@router.get("", responses=declared(503))
async def runs(
    console: Here,
    workflow: Annotated[str, Query(max_length=100, description="Only of the workflow of this key.")] = "",
    state: Annotated[list[RunState], Query(max_length=len(RunState), description="Only in one of these.")] = [],  # noqa: B006  # FastAPI makes a copy
    subject: Annotated[str, Query(max_length=200, description="Only with this in the name of the subject.")] = "",
    since: Annotated[Moment | None, Query(description="Only those made then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only those made before.")] = None,
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="Runs; as many as fit, when not given.")] = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> RunList:
    """List runs, the newest first, and say how many there are; the next page begins after these (`offset`)."""
    page = await read_runs(
        console.client,
        console.workflows,
        workflow=workflow,
        states=state,
        subject=subject,
        since=since,
        until=until,
        limit=limit or RUNS,
        offset=offset,
    )
    return page if limit else page.model_copy(update={"items": page.items[: fitting(page.items)]})


@router.get("/{run_id}", responses=declared(404, 503))
async def run(console: Here, run_id: RunId) -> RunStatus:
    """Tell the status of a run and of its phases."""
    return await read_status(console.client, run_id, console.workflows)
