"""Start a run of a workflow, follow it to its end, and say what came out."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import typer

from deployments.cli.app import Say
from deployments.cli.follow import cancelled_on_leaving, exit_code, follow, output
from deployments.cli.here import follow_here
from deployments.cli.table import as_told, run_table
from deployments.stack import stack
from lib.errors import InputError
from lib.runs.plan import Workflow
from lib.runs.status import RunStatus
from lib.settings import Settings

Outputs = Callable[[], list[dict[str, Any]]]
"""Gives what a run left: per item, its `project`, its `video` and its `files`, a path per kind."""
Failures = Callable[[list[str]], list[dict[str, str]]]
"""Gives what failed in the phases of these keys: per item, its `file`, `phase` and `reason`."""


def carry_out(
    workflow: Workflow,
    parameters: dict[str, Any],
    config: Settings,
    outputs: Outputs,
    failures: Failures,
    *,
    inline: bool,
    as_json: bool,
    say: Say,
) -> int:
    """Run a workflow to its end and return the exit code; brings a server and workers up when none is running.

    `outputs` says what the run left and `failures` what failed in it, once it has ended.
    """
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
        failed, left = failures([phase.key for phase in status.phases if phase.run_id]), outputs()
    if as_json:
        typer.echo(orjson.dumps(as_object(status, left, failed), option=orjson.OPT_INDENT_2).decode())
    else:
        _show_end(status, left, failed)
    return exit_code(status)


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


def as_object(
    status: RunStatus, outputs: list[dict[str, Any]], failures: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Return what `--json` prints: the run, its phases, what failed, and its outputs."""
    told = {"number", "key", "state", "duration", "done", "total", "failed", "skipped", "engine", "figures", "error"}
    return {
        "run_id": status.run_id,
        "state": status.state.value,
        "message": status.message,
        "phases": [phase.model_dump(mode="json", include=told) for phase in status.phases],
        "failures": failures or [],
        "outputs": outputs,
    }


def _show_end(status: RunStatus, outputs: list[dict[str, Any]], failures: list[dict[str, str]]) -> None:
    console = output()
    console.print(run_table(status))
    for failure in failures:
        words = f"✗ {failure['file']} ({failure['phase']}): {failure['reason']}"
        console.print(as_told(words, "red"), soft_wrap=True)
    for left in outputs:
        console.print(as_told("\n" + "/".join(filter(None, (left["project"], left["video"]))), "bold"))
        for name, path in left["files"].items():
            console.print(as_told(f"  {name:<9} {path}"), soft_wrap=True)
