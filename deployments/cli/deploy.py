"""`regie deploy`: work pools, limits and deployments made on the server that is set."""

import os
from dataclasses import asdict
from typing import Annotated

import anyio
import httpx
import orjson
import typer

from deployments.cli.app import app, configured, say
from deployments.home import prepare
from deployments.running import running_server
from lib.errors import InputError


@app.command()
def deploy(
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove Régie's deployments that the catalogue does not have any more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what changed as JSON, nothing else.")] = False,
) -> None:
    """Make or update work pools, limits and deployments on the server that is set, and say what changed.

    `regie up` does the same on its own server. Schedules stay on or off as they were switched.
    """
    config = configured()
    prepare(config)
    url = running_server(config)
    if not url:
        raise InputError("No server is set: set server_url (or PREFECT_API_URL) to its address, or start `regie up`.")
    os.environ["PREFECT_API_URL"] = url
    from deployments.register import register

    try:
        changes = anyio.run(lambda: register(config.environments, prune=prune, config=config))
    except httpx.HTTPError as error:
        raise InputError(f"The Prefect server at {url} did not do it: {error}") from error
    if as_json:
        typer.echo(orjson.dumps(asdict(changes), option=orjson.OPT_INDENT_2).decode())
        return
    for verb, names in (("made", changes.made), ("changed", changes.changed), ("removed", changes.removed)):
        for name in names:
            say(f"{verb}: {name}")
    for name in changes.left:
        say(f"left: {name}, which the catalogue does not have any more; `regie deploy --prune` removes it")
    if not (changes.made or changes.changed or changes.removed):
        say("Everything is as the catalogue says.")
