"""Control over runs: start, stop, go on; the second half of the adapter to Prefect's API."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled

from lib.errors import InputError
from lib.runs.family import name_for
from lib.runs.plan import Workflow
from lib.runs.reader import RunNotFoundError, find_run
from lib.runs.server import ServerError, connected, flow_run
from lib.storage.location import holds_password

T = TypeVar("T")
DEPLOYMENT = "regie"
"""Name of every deployment: a flow has one."""
STOPPING = "Stopping"
"""Name of the CANCELLING-type state of a run that is asked to stop.

The processes of Régie's flows look at their own state each second and end in order, wherever they are. A state named
`Cancelling` as Prefect's own would besides have the worker send a signal, look whether it helped every 3 s, and write
its own end over whatever the run is by then: even over a run that was resumed.
"""
_BULK = 50
"""Most runs whose state Prefect's API sets in one call."""
_TOLD = {"type", "name", "message", "state_details"}
"""What Prefect's API is told of a new state."""
_PAUSES = (0.25, 0.5, 1.0)
"""Least seconds before the server is asked again; at most twice as many."""
_ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})


class RefusedError(InputError):
    """What was asked of a run cannot be done in the state that it is in; the message says why, and what can."""


class WrongParametersError(RefusedError):
    """A workflow is not started with these parameters; the message names the one that is wrong."""


class StartedByHandError(RefusedError):
    """The run has no deployment: it was started in a process of its own, and only a process goes on with it."""


async def start(client: PrefectClient, workflow: Workflow, parameters: Mapping[str, Any]) -> str:
    """Start a run of a workflow by its deployment and return its id; a worker takes it up in a moment.

    Raises RefusedError when it is not deployed, and WrongParametersError when it does not take these parameters.
    """
    for name, value in parameters.items():
        if isinstance(value, str) and holds_password(value):
            raise WrongParametersError(
                f"{name} is a URL with a password in it, and URLs are kept with the run and shown: give it without it, "
                "and the credentials by environment variables or by a block (`regie blocks`)."
            )
    try:
        deployment = await client.read_deployment_by_name(f"{workflow.flow_name()}/{DEPLOYMENT}")
        # Prefect checks the values, and lets names pass that the flow would fail on.
        names = (deployment.parameter_openapi_schema or {}).get("properties", {})
        if strange := sorted(parameters.keys() - names.keys()):
            raise WrongParametersError(
                f"{workflow.name} has no parameter {strange[0]!r}: its parameters are {', '.join(names)}."
            )
        key = str(uuid4())  # asked twice, the server makes one run all the same
        run = await _patiently(
            lambda: client.create_flow_run_from_deployment(
                deployment.id,
                parameters=dict(parameters),
                name=name_for(workflow, parameters),
                tags=[workflow.key],
                idempotency_key=key,
            )
        )
    except ObjectNotFound as error:
        raise RefusedError(f"{workflow.name} is not deployed on this server: `regie up` deploys it.") from error
    except httpx.HTTPStatusError as error:
        if error.response.is_server_error:
            raise _no_answer(error) from error
        raise WrongParametersError(
            f"{workflow.name} cannot be started with these parameters: {_detail(error)}"
        ) from error
    except httpx.HTTPError as error:
        raise _no_answer(error) from error
    return str(run.id)


async def cancel(client: PrefectClient, run_id: str) -> bool:
    """Ask a run and its children to stop, and say whether there was anything to stop; returns at once.

    Children first; what has not begun is cancelled on the spot. The run notices within a second, stops what began
    meanwhile too, and is `cancelled` when all have ended. Of a run that has ended (its process died, say) the phases
    that still work elsewhere are stopped. Raises RunNotFoundError for what is no run.
    """
    run = await flow_run(client, _id(run_id))
    if run is None or run.parent_task_run_id is not None:
        raise RunNotFoundError(f"There is no run {run_id}.")
    stopped = 0
    try:
        try:
            stopped += await _stop(client, {"parent_flow_run_id": {"any_": [str(run.id)]}})
        finally:  # the run stops its children itself, should that have failed
            stopped += await _stop(client, {"id": {"any_": [str(run.id)]}})
    except httpx.HTTPError as error:
        raise _no_answer(error) from error
    return stopped > 0 or (run.state is not None and run.state.type == "CANCELLING")


async def resume(client: PrefectClient, run_id: str, workflows: Mapping[str, Workflow]) -> None:
    """Have a run that ended go on under the same id: a worker takes it up in a moment.

    Phases that completed are not run again, unless one that they come after is; the others start again, and skip the
    items that they had done. Raises RefusedError when it cannot go on, StartedByHandError when that takes a process of
    its own (`regie resume` gives it one), and RunNotFoundError.
    """
    run, _workflow = await find_run(client, run_id, workflows)
    if run.state is None or run.state.type not in _ENDED:
        what = "stopping" if run.state and run.state.type == "CANCELLING" else "going on"
        raise RefusedError(
            f"The run is still {what}: it can be resumed once it has ended. (When its process died without a word, it "
            "is shown as crashed within a minute.)"
        )
    if run.state.type == "COMPLETED":
        raise RefusedError("The run is completed: there is nothing to resume. Start a new one to do the work again.")
    if run.deployment_id is None:
        raise StartedByHandError(
            f"The run was started in a process of its own: `regie resume {run.id}` on its machine goes on with it."
        )
    # Only a run that has ended by now too: of two who resume it at once, one is refused.
    body = {
        "flow_runs": {"id": {"any_": [str(run.id)]}, "state": {"type": {"any_": sorted(_ENDED - {"COMPLETED"})}}},
        "state": Scheduled(message="Resumed").model_dump(mode="json", include=_TOLD),
    }
    try:
        results = await _bulk_set_state(client, body)
    except httpx.HTTPError as error:
        raise _no_answer(error) from error
    if not results:
        raise RefusedError("The run cannot be resumed: somebody else has resumed it just now.")
    if results[0]["status"] != "ACCEPT":
        raise RefusedError(f"The run cannot be resumed: {(results[0].get('details') or {}).get('reason')}")


def start_run(workflow: Workflow, parameters: Mapping[str, Any]) -> str:
    """Start a run as `start` does, for code that is not asynchronous."""
    with connected() as connection:
        return connection(start, workflow, parameters)


def cancel_run(run_id: str) -> bool:
    """Ask a run to stop as `cancel` does, for code that is not asynchronous."""
    with connected() as connection:
        return connection(cancel, run_id)


def resume_run(run_id: str, workflows: Mapping[str, Workflow]) -> None:
    """Have a run go on as `resume` does, for code that is not asynchronous."""
    with connected() as connection:
        connection(resume, run_id, workflows)


async def _stop(client: PrefectClient, runs: Mapping[str, Any]) -> int:
    """Cancel those of these flow runs that wait for a worker, ask those that it took to stop; say how many they are."""
    waiting = {**runs, "state": {"type": {"any_": ["SCHEDULED"]}}}
    at_work = {**runs, "state": {"type": {"any_": ["PENDING", "RUNNING", "PAUSED"]}}}
    stopped = await _set_state(client, waiting, "CANCELLED", "Cancelled")
    return stopped + await _set_state(client, at_work, "CANCELLING", STOPPING)


async def _set_state(client: PrefectClient, runs: Mapping[str, Any], kind: str, name: str) -> int:
    """Set the state of every flow run that these filters find, one that they do not find; say how many were set."""
    done = 0
    body = {"flow_runs": runs, "state": {"type": kind, "name": name, "message": "Asked to stop"}, "limit": _BULK}
    while True:
        results = await _bulk_set_state(client, body)
        accepted: int = sum(result["status"] == "ACCEPT" for result in results)
        done += accepted
        if len(results) < _BULK or not accepted:
            return done


async def _bulk_set_state(client: PrefectClient, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = await _patiently(
        lambda: client.request("POST", "/flow_runs/bulk_set_state", json=body)  # type: ignore[arg-type]
    )
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask the server again when it could not do it: a busy SQLite refuses what it takes a moment later."""
    for seconds in _PAUSES:
        try:
            return await ask()
        except httpx.HTTPStatusError as error:
            if not error.response.is_server_error:
                raise
        await asyncio.sleep(seconds * (1 + random.random()))  # noqa: S311  # who collided does not come back together
    return await ask()


def _id(run_id: str) -> UUID:
    try:
        return UUID(run_id)
    except ValueError:
        raise RunNotFoundError(f"There is no run {run_id}.") from None


def _no_answer(error: httpx.HTTPError) -> ServerError:
    return ServerError(f"The Prefect server did not do it ({type(error).__name__}). Is it up? `regie up` starts it.")


def _detail(error: httpx.HTTPStatusError) -> str:
    try:
        return str(error.response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answers {error.response.status_code}"
