"""`regie sync`: make the virtual environments."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer

from deployments import environments
from deployments.cli.app import app, configured, say
from lib.errors import InputError

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[ENV]...", help="base, scenes, audio, tracking; all when none is named.")
]
Engine = Annotated[str | None, typer.Option(help="Add an engine that is not installed otherwise: audio has pyannote.")]
Extra = Annotated[list[str] | None, typer.Option(help="Install an extra of pyproject.toml besides (test, dev).")]


@app.command()
def sync(names: Names = None, engine: Engine = None, extra: Extra = None) -> None:
    """Install the packages of environments, each in its virtual environment."""
    config = configured()
    wanted = names or [key for key in environments.ENVIRONMENTS if key != "base"]
    for key in wanted:
        try:
            environments.environment(key)
        except InputError as error:
            raise typer.BadParameter(str(error)) from error
    if engine is not None and len(wanted) != 1:
        raise typer.BadParameter("--engine adds to one environment: regie sync audio --engine pyannote")
    # Environments that share a virtual environment are made once, the others side by side.
    shared = {environments.environment(key).venv: key for key in wanted}

    def make(key: str) -> None:
        environments.sync(key, config.environments, engine=engine, extras=tuple(extra or ()), say=say)

    with ThreadPoolExecutor(max_workers=2) as threads:
        for _made in threads.map(make, shared.values()):
            pass
