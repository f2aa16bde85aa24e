"""What the commands of `regie` have in common: where they are added, what their exit codes mean, how they speak."""

import contextlib
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from lib.errors import InputError
from lib.settings import Settings, read_settings
from lib.words import visible

COMPLETED, FAILED, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: partial is its own, so that a script can tell one bad file from a run that failed."""

GIVEN = os.environ.get("PREFECT_API_URL", "").rstrip("/") or None
"""The server that Prefect itself was told to use, before anything here told it otherwise: the setting `server_url`
comes first."""

app = typer.Typer(
    name="regie",
    help="A control room for production workflows.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run = typer.Typer(help="Run a workflow.", no_args_is_help=True)
app.add_typer(run, name="run")


def configured() -> Settings:
    """Return the settings, and point Prefect at Régie's own home before it is imported."""
    try:
        config = read_settings()
    except InputError as error:
        say(str(error))
        raise typer.Exit(USAGE) from error
    config.server_url = config.server_url or GIVEN
    os.environ["REGIE_HOME"] = str(config.home)
    os.environ["PREFECT_HOME"] = str(config.prefect_home)
    os.environ["PREFECT_PROFILES_PATH"] = str(config.prefect_home / "profiles.toml")
    return config


def say(line: str) -> None:
    """Say something to the person at the terminal; standard output is kept for results."""
    with contextlib.suppress(OSError):  # the terminal was closed, or the disk of a log is full: the work goes on
        print(visible(line, kept="\n\t"), file=sys.stderr, flush=True)


def quiet(line: str) -> None:
    """Say nothing."""


Say = Callable[[str], None]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"regie {version('regie')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Régie: run production workflows, follow them, stop them, resume them."""


def existing(path: Path) -> Path:
    """Return an absolute path; a usage error when nothing is there."""
    if not path.exists():
        raise typer.BadParameter(f"there is no file or folder {path}")
    return path.absolute()
