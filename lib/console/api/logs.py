"""GET /api/v1/runs/ID/logs: what a run and its phases said, in order; and all of it as text to download."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from lib.console.api.paging import MOST, fitting
from lib.console.api.runs import RunId
from lib.console.context import Here
from lib.console.problems import declared
from lib.runs.logs import LogPage, read_logs, stream_logs
from lib.runs.reader import LATEST

router = APIRouter(prefix="/api/v1/runs/{run_id}", tags=["runs"])

LINES = 100
"""Lines on a page when nobody says how many."""

Phases = Annotated[
    list[Annotated[str, Query(max_length=100)]],
    Query(max_length=100, description="Only of the phases of these keys; the run itself has the empty key."),
]
Least = Annotated[
    Literal["debug", "info", "warning", "error", "critical"], Query(description="Only of this level and above.")
]


@router.get("/logs", responses=declared(404, 503))
async def logs(
    console: Here,
    run_id: RunId,
    phase: Phases = [],  # noqa: B006  # FastAPI makes a copy
    level: Least = "info",
    after: Annotated[
        str, Query(max_length=3500, pattern="^[A-Za-z0-9_-]*$", description="`next` of the page before.")
    ] = "",
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="Lines; as many as fit, when not given.")] = None,
) -> LogPage:
    """Return one page of lines, the oldest first; `next` leads on, and while a run works to what it says later."""

    async def read(lines: int) -> LogPage:
        return await read_logs(
            console.client, run_id, console.workflows, phases=phase, level=level, after=after, limit=lines
        )

    page = await read(limit or LINES)
    if limit is None and (fit := fitting(page.lines)) < len(page.lines):
        page = await read(fit)
    return page


@router.get(
    "/logs.txt",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The whole log.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **declared(404, 503),
    },
)
async def log_text(
    console: Here,
    run_id: RunId,
    phase: Phases = [],  # noqa: B006  # FastAPI makes a copy
    level: Least = "info",
) -> StreamingResponse:
    """Give the whole log as text to keep."""
    pieces = stream_logs(console.client, run_id, console.workflows, phases=phase, level=level)
    # What is wrong with the question comes up with the first piece, while it can still be answered with a problem.
    first = await anext(pieces)

    async def text() -> AsyncIterator[str]:
        yield first
        async for piece in pieces:
            yield piece

    name = run_id if run_id == LATEST else str(UUID(run_id))
    return StreamingResponse(
        text(),
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="regie-{name}.txt"'},
    )
