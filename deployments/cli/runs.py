"""`regie runs`: the runs that there are and were."""

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from deployments.cli.app import app
from deployments.cli.follow import output
from deployments.cli.serving import AsJson, serving
from deployments.cli.table import MARKS, as_told, clock
from lib.errors import InputError
from lib.runs.status import RunState
from lib.workflows import workflows

SHORT = 8
"""Characters of an id that are shown; every command takes them."""


@app.command()
def runs(
    workflow: Annotated[str, typer.Option(help="Only runs of this workflow.")] = "",
    state: Annotated[list[RunState] | None, typer.Option(help="Only runs in this state; several are fine.")] = None,
    subject: Annotated[str, typer.Option(help="Only runs whose subject has this in it.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Only runs from this local time on.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    if workflow and workflow not in workflows():
        raise InputError(f"There is no workflow {workflow}: there are {', '.join(workflows())}.")
    with serving() as server:
        from lib.runs.listing import read_runs

        found = server.connection(
            read_runs,
            workflows(),
            workflow=workflow,
            states=state or (),
            subject=subject,
            since=since.astimezone() if since else None,
            limit=limit,
        )
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    table = Table("Run", "Workflow", "Subject", "State", "Began", box=None, pad_edge=False, header_style="dim")
    table.add_column("%", justify="right")
    table.add_column("Time", justify="right")
    table.add_column("", overflow="ellipsis", no_wrap=True, ratio=1)
    for each in found.items:
        mark, style = MARKS[each.state]
        table.add_row(
            each.run_id[:SHORT],
            Text(each.workflow),
            as_told(each.subject),
            Text(f"{mark} {'stopping' if each.stopping else each.state.value}", style=style),
            f"{each.started.astimezone():%Y-%m-%d %H:%M:%S}" if each.started else "",
            "" if each.progress is None else f"{each.progress:.0f}",
            clock(each.duration),
            as_told(each.message, "dim"),
        )
    console = output()
    console.print(table)
    console.print(Text(f"{len(found.items)} of {found.total}", style="dim"))
