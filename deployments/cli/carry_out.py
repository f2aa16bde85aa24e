"""Start a run of a workflow, follow it to its end, and say what came out."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import typer
from rich.console import RenderableType

from deployments.cli.app import USAGE, Say, say
from deployments.cli.follow import cancelled_on_leaving, exit_code, follow, output
from deployments.cli.here import follow_here
from deployments.cli.table import as_told, run_table
from deployments.stack import stack
from lib.errors import InputError
from lib.runs.plan import PlanError, Workflow
from lib.runs.status import RunStatus
from lib.settings import Settings

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from lib.runs.server import Connection


@dataclass(frozen=True)
class Left:
    """What a run left."""

    outputs: Sequence[dict[str, Any]]
    """What came out, for `--json`."""
    failures: Sequence[dict[str, str]] = ()
    """Per item that failed its `file`, `phase` and `reason`."""
    shown: Sequence[RenderableType] = ()
    """What came out, for people."""


Leaves = Callable[["Connection", RunStatus], Left]
"""Finds what a run left that ended like this, while the server is there."""


def carry_out(
    workflow: Workflow,
    parameters: dict[str, Any],
    config: Settings,
    leaves: Leaves,
    *,
    inline: bool,
    as_json: bool,
    say: Say,
) -> int:
    """Run a workflow to its end and return the exit code; brings a server and workers up when none is running."""
    with stack(config, say) as running, _ending_in_words(say):
        from deployments.here import begin_here
        from lib.runs import control
        from lib.runs.server import connected

        def announce(run_id: str) -> None:
            say(f"{workflow.name}: {running.ui_url}/runs/flow-run/{run_id}")

        with connected() as connection:
            if inline:
                run_id = begin_here(workflow, parameters)
                announce(run_id)
                status = follow_here(connection, workflow, run_id, show=not as_json)
            else:
                run_id = connection(control.start, workflow, parameters)
                with cancelled_on_leaving(run_id):
                    announce(run_id)
                    status = follow(connection, run_id, show=not as_json, check=running.check)
            # While the server, which may hold the credentials for it, is there.
            left = leaves(connection, status)
    if as_json:
        typer.echo(orjson.dumps(as_object(status, left), option=orjson.OPT_INDENT_2).decode())
    else:
        _show_end(status, left)
    return exit_code(status)


def selection(workflow: Workflow, only: str, first: int | None, last: int | None) -> dict[str, Any]:
    """Return the parameters that say which phases run; what chooses none is said, and the command ends."""
    try:
        numbers = [int(part) for part in only.split(",") if part.strip()]
        workflow.select(numbers, first, last)
    except PlanError as error:
        say(str(error))
        raise typer.Exit(USAGE) from error
    except ValueError as error:
        say(f"--only takes numbers of phases, as in 2,3; it is {only!r}")
        raise typer.Exit(USAGE) from error
    return {"only": numbers or None, "first": first, "last": last}


@contextlib.contextmanager
def _ending_in_words(say: Say) -> Iterator[None]:
    """Say it in words when a run is interrupted, or the server of somebody else's `regie up` is ended under it."""
    from lib.runs.server import ServerError

    try:
        yield
    except KeyboardInterrupt:
        say("Interrupted. Run the same command again to go on: what is done is kept.")
        raise
    except (httpx.TransportError, ServerError) as error:
        raise InputError(
            "The Prefect server does not answer any more: `regie up` was ended, or it broke down. Run the same command "
            "again: what is done is kept."
        ) from error


def as_object(status: RunStatus, left: Left) -> dict[str, Any]:
    """Return what `--json` prints: the run, its phases, what failed, and its outputs."""
    told = {"number", "key", "state", "duration", "done", "total", "failed", "skipped", "engine", "figures", "error"}
    return {
        "run_id": status.run_id,
        "state": status.state.value,
        "message": status.message,
        "phases": [phase.model_dump(mode="json", include=told) for phase in status.phases],
        "failures": list(left.failures),
        "outputs": list(left.outputs),
    }


def _show_end(status: RunStatus, left: Left) -> None:
    console = output()
    console.print(run_table(status))
    for failure in left.failures:
        words = f"✗ {failure['file']} ({failure['phase']}): {failure['reason']}"
        console.print(as_told(words, "red"), soft_wrap=True)
    for each in left.shown:
        console.print(each, soft_wrap=True)
