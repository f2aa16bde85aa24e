"""`regie catalogue`: every deployment that there is, and `prefect.yaml`, which says the same to Prefect."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from deployments.cli.app import FAILED, app, configured, say
from deployments.home import prepare

FILE = Path("prefect.yaml")


@app.command("catalogue")
def show_catalogue(
    write: Annotated[bool, typer.Option("--write", help="Write prefect.yaml in the current folder.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say whether prefect.yaml in the current folder is right and current.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the deployments as `regie deploy` would make them, as JSON.")
    ] = False,
) -> None:
    """Print the deployments as prefect.yaml says them: for any machine, with default settings."""
    config = configured()
    prepare(config)
    from deployments.catalogue import catalogue, portable
    from deployments.prefect_file import read
    from lib.files import replacing

    if as_json:
        entries = catalogue(config).model_dump(mode="json", exclude_none=True)["deployments"]
        typer.echo(orjson.dumps(entries, option=orjson.OPT_INDENT_2).decode())
        return
    text = catalogue(portable()).dump()
    if check:
        if read(FILE).dump() != text or FILE.read_text() != text:
            say(f"{FILE} is not what the catalogue says: `regie catalogue --write` writes it anew.")
            raise typer.Exit(FAILED)
        say(f"{FILE} is current")
    elif write:
        with replacing(FILE) as temporary:
            temporary.write_text(text)
        say(f"{FILE} is written")
    else:
        typer.echo(text, nl=False)
