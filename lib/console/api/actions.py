"""POST below /api/v1/runs: start a run, run one again, cancel it, resume it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from lib.console.api.runs import RunId
from lib.console.context import Console, Here
from lib.console.problems import FieldProblem, ProblemError, declared
from lib.runs import control
from lib.runs.plan import PlanError, Workflow
from lib.runs.reader import find_run

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])


class Selection(BaseModel):
    """Which phases to run, by number: some one by one, or from one to another; all when nothing is said."""

    model_config = ConfigDict(extra="forbid")

    only: list[int] = Field(default=[], max_length=100, description="These.")
    first: int | None = Field(default=None, description="From this one on.")
    last: int | None = Field(default=None, description="Up to this one.")


class Order(Selection):
    """A run that is to be started."""

    workflow: str = Field(max_length=100, description="The key of a workflow.")
    parameters: dict[str, Any] = Field(default={}, description="What its flow takes.")


class StartedRun(BaseModel):
    """A run that was started."""

    run_id: str


class Accepted(BaseModel):
    """A run that was told what to do, and will do so shortly."""

    run_id: str


@router.post("", status_code=201, responses=declared(400, 403, 409, 413, 503))
async def start(console: Here, order: Order, response: Response) -> StartedRun:
    """Start a run; it waits for a worker, and its status is at the address in `Location`."""
    workflow = console.workflows.get(order.workflow)
    if workflow is None:
        raise wrong("workflow", f"there is no workflow of this key, but {', '.join(console.workflows)}")
    return await _start(console, workflow, order.parameters, order, response)


@router.post("/{run_id}/again", status_code=201, responses=declared(400, 403, 404, 409, 413, 503))
async def again(
    console: Here, run_id: RunId, response: Response, selection: Annotated[Selection | None, Body()] = None
) -> StartedRun:
    """Start a new run with the parameters of this one; of all phases, unless some are chosen."""
    run, workflow = await find_run(console.client, run_id, console.workflows)
    parameters = {name: value for name, value in run.parameters.items() if name not in Selection.model_fields}
    return await _start(console, workflow, parameters, selection or Selection(), response)


@router.post("/{run_id}/cancel", status_code=202, responses=declared(403, 404, 409, 503))
async def cancel(console: Here, run_id: RunId) -> Accepted:
    """Stop a run and its phases; they are asked to stop at once, and end within seconds."""
    run, _ = await find_run(console.client, run_id, console.workflows)
    if not await control.cancel(console.client, str(run.id)):
        raise ProblemError(409, "The run has ended already: there is nothing to cancel.")
    return Accepted(run_id=str(run.id))


@router.post("/{run_id}/resume", status_code=202, responses=declared(403, 404, 409, 503))
async def resume(console: Here, run_id: RunId) -> Accepted:
    """Go on with a run that failed, was cancelled or crashed: what is done already is not done again."""
    run, _ = await find_run(console.client, run_id, console.workflows)
    await control.resume(console.client, str(run.id), console.workflows)
    return Accepted(run_id=str(run.id))


async def _start(
    console: Console, workflow: Workflow, parameters: dict[str, Any], selection: Selection, response: Response
) -> StartedRun:
    try:
        workflow.select(selection.only, selection.first, selection.last)
    except PlanError as error:
        raise wrong("only" if selection.only else "first", str(error)) from error
    chosen = selection.model_dump(include=set(Selection.model_fields), exclude_defaults=True)
    try:
        run_id = await control.start(console.client, workflow, {**parameters, **chosen})
    except control.WrongParametersError as error:
        raise wrong("parameters", str(error)) from error
    response.headers["location"] = f"/api/v1/runs/{run_id}"
    return StartedRun(run_id=run_id)


def wrong(field: str, detail: str) -> ProblemError:
    """Return the problem that a field of an order is."""
    return ProblemError(422, f"{field}: {detail}", errors=[FieldProblem(field=f"body.{field}", detail=detail)])
