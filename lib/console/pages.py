"""The console's pages: complete without JavaScript, and live with it."""

import re
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from pydantic import BeforeValidator

from lib.console.api import actions, history
from lib.console.api.runs import RunId
from lib.console.context import Here
from lib.console.forms import fields_of
from lib.console.problems import EXPLANATIONS, ProblemError
from lib.console.rendering import STATIC, render, static_version, words_of
from lib.console.spine import lay_out
from lib.console.system import versions
from lib.runs.listing import read_runs
from lib.runs.reader import read_status
from lib.runs.status import PhaseStatus, RunState, RunStatus

RUNS_ON_A_PAGE = 15
"""So many keep the page below 50 kB, styles and scripts included."""
STATES = [state for state in RunState if state is not RunState.SKIPPED]
"""States of a run; only phases are skipped."""
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

Text = Annotated[str, Query(max_length=200)]
Day = Annotated[date | None, BeforeValidator(lambda given: given or None), Query()]
"""A field of a form that was left empty is none."""


class Page(APIRoute):
    """A route whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except tuple(EXPLANATIONS) as error:
                explain = next(explain for kind, explain in EXPLANATIONS.items() if isinstance(error, kind))
                problem: ProblemError = explain(error)
                words = words_of(request)
                known = f"problem_{problem.status}" in words.messages
                return await render(
                    request,
                    "problem.html",
                    styles=["table.css"],
                    status=problem.status,
                    headers=problem.headers,
                    title=words(f"problem_{problem.status}" if known else "problem_other"),
                    detail=problem.detail,
                )

        return handle


router = APIRouter(route_class=Page, include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
async def home() -> Response:
    """Lead to the list of runs."""
    return RedirectResponse("/runs", 303)


@router.get("/runs")
async def runs(
    request: Request,
    console: Here,
    workflow: Text = "",
    state: Text = "",
    subject: Text = "",
    since: Day = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Show the runs, the newest first."""
    found = await read_runs(
        console.client,
        console.workflows,
        workflow=workflow,
        states=[RunState(state)] if state in STATES else [],
        subject=subject,
        since=datetime.combine(since, time(), UTC) if since else None,
        limit=RUNS_ON_A_PAGE,
        offset=offset,
    )
    asked = {"workflow": workflow, "state": state, "subject": subject, "since": since.isoformat() if since else ""}
    filters = {name: value for name, value in asked.items() if value}
    last = offset + len(found.items)
    return await render(
        request,
        "runs.html",
        page="runs",
        styles=["table.css"],
        script="runs.js",
        runs=found.model_dump(mode="json"),
        asked=asked,
        filtered=bool(filters),
        workflows={key: each.name for key, each in console.workflows.items()},
        states=STATES,
        first=offset + 1,
        last=last,
        limit=RUNS_ON_A_PAGE,
        newer=_runs_from(filters, max(offset - RUNS_ON_A_PAGE, 0)) if offset else "",
        older=_runs_from(filters, last) if last < found.total else "",
    )


@router.get("/runs/{run_id}")
async def run(request: Request, console: Here, run_id: RunId, phase: Text = "") -> Response:
    """Show one run: its phases, the chosen one in detail, its logs, and what can be done to it."""
    status = await read_status(console.client, run_id, console.workflows)
    row = _row(status)
    phases = {each["key"]: each for each in row["phases"]}
    return await render(
        request,
        "run.html",
        page="run",
        styles=["spine.css", "run.css"],
        script="run.js",
        run=row,
        workflow=console.workflows[status.workflow].name,
        phases=phases,
        chosen=phases.get(phase) or phases[worth_a_look(status).key],
        spine=lay_out(status.phases),
    )


@router.get("/runs/{run_id}/{what}")
async def ask(request: Request, console: Here, run_id: RunId, what: str) -> Response:
    """Ask before a run is cancelled, or for the phases to run, where no script opens a dialogue."""
    if what not in {"cancel", "some"}:
        raise ProblemError(404, "There is nothing at this address.")
    status = await read_status(console.client, run_id, console.workflows)
    return await render(request, "ask.html", styles=["ask.css"], what=what, run=_row(status))


def _row(status: RunStatus) -> dict[str, Any]:
    """Return a run as a page shows it."""
    return {**status.model_dump(mode="json"), "over": status.over}


@router.post("/runs/{run_id}/cancel")
async def cancel(console: Here, run_id: RunId) -> Response:
    """Cancel a run, and show it."""
    return _to_run((await actions.cancel(console, run_id)).run_id)


@router.post("/runs/{run_id}/resume")
async def resume(console: Here, run_id: RunId) -> Response:
    """Resume a run, and show it."""
    return _to_run((await actions.resume(console, run_id)).run_id)


@router.post("/runs/{run_id}/again")
async def again(request: Request, console: Here, run_id: RunId) -> Response:
    """Start a new run like this one, of the phases that the form names or of all, and show it."""
    chosen = (await fields_of(request)).get("only", [])
    only = [int(number) for number in chosen if number.isdecimal() and len(number) < 10]
    return _to_run((await actions.again(console, run_id, Response(), actions.Selection(only=only))).run_id)


@router.get("/system")
async def system(request: Request, console: Here) -> Response:
    """Show the machine, what is installed on it, and how long everything takes."""
    histories = [
        (each.name, (await history.history(console, key, runs=50)).model_dump(mode="json"))
        for key, each in console.workflows.items()
    ]
    return await render(
        request,
        "system.html",
        page="system",
        styles=["table.css", "system.css"],
        versions=(await to_thread.run_sync(versions)).model_dump(),
        engines=console.engines.known().model_dump(mode="json"),
        histories=histories,
        routes=[each.model_dump() for each in console.timings.rows()],
    )


@router.get("/static/{version}/{name}")
async def static(version: str, name: str) -> Response:
    """Give a style, a script or a picture; what is asked for by its version never changes."""
    path = STATIC / name
    if path not in STATIC.iterdir():
        raise ProblemError(404, "There is nothing at this address.")
    kept = "public, max-age=31536000, immutable" if version == static_version() else "no-cache"
    return Response(lean(path), media_type=TYPES[path.suffix], headers={"cache-control": kept})


@cache
def lean(path: Path) -> str:
    """Return a static file without its indentation and comment lines, which are for those who read the source.

    Of a style the spaces that part its rules and their values go too; none of its strings has such signs.
    """
    text = re.sub(r"(?m)^\s+|^(//.*|/\*.*\*/)\n", "", path.read_text("utf-8"))
    return re.sub(r"\s*(?:;\s*(?=\})|([{};,>])\s*)|(?<=:)\s+", r"\1", text) if path.suffix == ".css" else text


def worth_a_look(status: RunStatus) -> PhaseStatus:
    """Return the phase that somebody who opens a run wants to see: at work, gone wrong, or the last that ended."""
    bad = {RunState.PARTIAL, RunState.FAILED, RunState.CRASHED, RunState.CANCELLED}
    return next(
        (
            phase
            for wanted in ({RunState.RUNNING}, bad, {RunState.PAUSED}, {RunState.COMPLETED})
            for phase in (reversed(status.phases) if RunState.COMPLETED in wanted else status.phases)
            if phase.state in wanted
        ),
        status.phases[0],
    )


def _runs_from(filters: dict[str, str], offset: int) -> str:
    return f"/runs?{urlencode(filters | ({'offset': str(offset)} if offset else {}))}"


def _to_run(run_id: str) -> Response:
    return RedirectResponse(f"/runs/{quote(run_id, safe='')}", 303)
