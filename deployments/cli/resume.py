"""`regie resume`: go on with a run that ended before it was done."""

import typer

from deployments.cli.app import app, say
from deployments.cli.follow import cancelled_on_leaving, exit_code, follow, output
from deployments.cli.here import follow_here
from deployments.cli.serving import Run, serving
from deployments.cli.table import run_table
from lib.runs.status import RunState, RunStatus
from lib.workflows import workflows


@app.command()
def resume(run: Run) -> None:
    """Go on with a run that failed, was cancelled or lost its process, and follow it to its end.

    Phases that completed are kept. Exit codes as of `regie run`.
    """
    with serving(workers=True) as server:
        from deployments.here import begin_again_here
        from lib.runs import control

        status = server.status(run)
        try:
            server.connection(control.resume, status.run_id, workflows())
        except control.StartedByHandError:
            say(_going_on(status))
            begin_again_here(status.run_id)
            status = follow_here(server.connection, workflows()[status.workflow], status.run_id, show=True)
        else:
            say(_going_on(status))
            with cancelled_on_leaving(status.run_id):
                status = follow(server.connection, status.run_id, check=server.stack.check)
    output().print(run_table(status))
    raise typer.Exit(exit_code(status))


def _going_on(status: RunStatus) -> str:
    kept = [f"{phase.number} {phase.name}" for phase in status.phases if phase.state is RunState.COMPLETED]
    return f"The run of {status.subject} goes on. Kept: {', '.join(kept) or 'no phase, none had completed'}."
