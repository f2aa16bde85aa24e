"""`regie settings`: every setting, and what it is now."""

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments.cli.app import app, configured
from deployments.settings_table import markdown, rows


@app.command()
def settings(
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the page of the documentation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the values as JSON.")] = False,
) -> None:
    """Say what every setting is, and what it does."""
    if as_markdown:
        typer.echo(markdown(), nl=False)
        return
    config = configured()
    values = config.model_dump(mode="json")
    if as_json:
        typer.echo(orjson.dumps(values, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("Setting", "Value", "What it does", box=None, pad_edge=False, header_style="dim")
    for row in rows():
        value: Any = values
        for part in row.name.split("."):
            value = value[part]
        table.add_row(row.name, Text(str(value), style="" if str(value) == row.default else "bold"), row.description)
    Console().print(table)
