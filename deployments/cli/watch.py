"""`regie watch`: follow a run to its end."""

import typer

from deployments.cli.app import FAILED, app, say
from deployments.cli.follow import exit_code, follow, output
from deployments.cli.serving import LATEST, Run, serving
from deployments.cli.table import run_table


@app.command()
def watch(run: Run = LATEST) -> None:
    """Follow a run to its end, as a live table; Ctrl-C leaves the run alone. Exit codes as of `regie run`."""
    with serving() as server:
        status = server.status(run)
        if not status.state.final and not server.workers:
            output().print(run_table(status))
            say(f"Nothing works on it now: `regie up` does, once it runs, or cancel it: regie cancel {status.run_id}")
            raise typer.Exit(FAILED)
        try:
            say(f"Following the run of {status.subject} to its end; Ctrl-C leaves it alone")
            status = follow(server.connection, status.run_id)
        except KeyboardInterrupt:
            say(f"The run goes on. To end it: regie cancel {status.run_id}")
            raise
    output().print(run_table(status))
    raise typer.Exit(exit_code(status))
