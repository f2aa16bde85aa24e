"""`regie worker`: the workers of this machine, for a server that is there already."""

import signal
from typing import Annotated

import typer

from deployments.cli.app import app, configured, say


@app.command()
def worker(
    environments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ENV]…", help="Whose phases it takes up; otherwise those that are installed here."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most runs of one environment at once.")] = None,
) -> None:
    """Take up runs of the Prefect server that `server_url` names, with what this machine has; Ctrl-C ends it."""
    from deployments.machine import serve

    config = configured()
    if limit is not None:
        config.worker_limit = limit
    # Also where a script started it in the background, and so had Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(config, say, environments or [])
