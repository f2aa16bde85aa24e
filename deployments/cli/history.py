"""`regie history`: how long the phases of a workflow take."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from deployments.cli.app import app
from deployments.cli.follow import output
from deployments.cli.serving import AsJson, serving
from deployments.cli.table import clock
from lib.errors import InputError
from lib.workflows import workflows

if TYPE_CHECKING:
    from lib.runs.history import DurationStats


@app.command()
def history(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Key of the workflow.")],
    runs: Annotated[int, typer.Option(min=1, max=200, help="How many runs, the newest.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Say how long the phases of a workflow took in past runs: median, 95 of 100, and their trend."""
    if workflow not in workflows():
        raise InputError(f"There is no workflow {workflow}: there are {', '.join(workflows())}.")
    with serving() as server:
        from lib.runs.past_reader import read_history

        found = server.connection(read_history, workflows()[workflow], runs=runs)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    table = Table("", "Phase", box=None, pad_edge=False, header_style="dim")
    for title in ("Runs", "Median", "95 of 100", "Trend"):
        table.add_column(title, justify="right")
    for phase in found.phases:
        table.add_row(str(phase.number), phase.name, *_figures(phase))
    table.add_row("", "whole run", *_figures(found.whole), style="bold")
    output().print(table)


def _figures(durations: "DurationStats") -> tuple[str, ...]:
    trend = "" if durations.trend is None else f"{durations.trend:+.0%}"
    return str(durations.runs), clock(durations.median), clock(durations.p95), trend
