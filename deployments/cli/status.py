"""`regie status`: how far a run is, phase by phase."""

import typer

from deployments.cli.app import app
from deployments.cli.follow import output
from deployments.cli.serving import LATEST, AsJson, Run, serving
from deployments.cli.table import run_table
from lib.runs.status import RunStatus


@app.command()
def status(run: Run = LATEST, as_json: AsJson = False) -> None:
    """Say how far a run is, phase by phase, and when it is thought to end."""
    with serving() as server:
        found = server.status(run)
    if as_json:
        typer.echo(as_text(found))
    else:
        output().print(run_table(found))


def as_text(status: RunStatus) -> str:
    """Return what `--json` prints: the fields of RunStatus and of PhaseStatus, times in UTC, durations in seconds."""
    return status.model_dump_json(indent=2)
