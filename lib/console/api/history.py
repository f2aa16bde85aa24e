"""GET /api/v1/history: how long the phases of a workflow took, and whether that changes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from lib.console.api.runs import Moment
from lib.console.context import Here
from lib.console.problems import ProblemError, declared
from lib.runs.history import History
from lib.runs.past_reader import read_history

router = APIRouter(prefix="/api/v1/history", tags=["runs"])


@router.get("/{workflow}", responses=declared(404, 503))
async def history(
    console: Here,
    workflow: Annotated[str, Path(max_length=100, description="The key of a workflow.")],
    since: Annotated[Moment | None, Query(description="Only runs that ended then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only runs that ended before.")] = None,
    runs: Annotated[int, Query(ge=1, le=200, description="So many of the newest that ended.")] = 50,
) -> History:
    """Tell the median, the 95th percentile and the trend of each phase's durations."""
    known = console.workflows.get(workflow)
    if known is None:
        raise ProblemError(404, "There is no such workflow. GET /api/v1/workflows lists those that there are.")
    return await read_history(console.client, known, since=since, until=until, runs=runs)
