"""`regie logs`: what a run and its phases said."""

import time
from typing import Annotated

import typer

from deployments.cli.app import app
from deployments.cli.serving import LATEST, Run, Server, serving
from lib.workflows import workflows

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_FOR_LATE_LINES = 5.0
"""How long after the end of a run lines may still come: a process hands its own over every two seconds."""


@app.command()
def logs(
    run: Run = LATEST,
    phase: Annotated[
        list[str] | None, typer.Option(help="Only lines of the phase of this key; several are fine.")
    ] = None,
    level: Annotated[str, typer.Option(help="The least grave: debug, info, warning, error or critical.")] = "info",
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the run ends; Ctrl-C leaves it alone.")] = False,
) -> None:
    """Print the log of a run and all of its phases, in the order of time."""
    with serving() as server:
        from lib.runs.reader import read_status

        run_id = server.status(run).run_id
        place = _print(server, run_id, phase or [], level, "")
        while follow and server.workers:
            ended = server.connection(read_status, run_id, workflows()).state.final
            time.sleep(SECONDS_FOR_LATE_LINES if ended else SECONDS_BETWEEN_LOOKS)
            place = _print(server, run_id, phase or [], level, place)
            if ended:
                break


def _print(server: Server, run_id: str, phases: list[str], level: str, after: str) -> str:
    """Print the lines after a place in the log, and return the place after them."""
    from lib.runs.logs import read_logs

    more = True
    while more:
        page = server.connection(read_logs, run_id, workflows(), phases=phases, level=level, after=after)
        for line in page.lines:
            typer.echo(str(line))
        after, more = page.next, page.more
    return after
