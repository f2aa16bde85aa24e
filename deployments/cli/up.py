"""`regie up`: server, pools, workers and deployments, until Ctrl-C."""

import contextlib
import signal
import time
from typing import Annotated

import typer

from deployments import environments
from deployments.cli.app import app, configured, say
from deployments.home import SPACE, is_full
from deployments.machine import machine
from deployments.stack import Stack, stack
from lib.errors import InputError
from lib.runs.plan import environments_of
from lib.settings import Settings
from lib.workflows import workflows

SECONDS_BETWEEN_LOOKS = 0.5


@app.command()
def up(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the Prefect server on 127.0.0.1.")] = None,
) -> None:
    """Start the Prefect server, the work pools, their workers and the deployments; Ctrl-C ends them all.

    Where `server_url` names a server that is there already, only this machine's workers and the console.
    """
    config = configured()
    # Also where a script started it in the background, and so had Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with _all_of_this_machine(config, port) as running:
        _say_what_is_missing(config)
        say(f"Régie is up: {running.console_url} (Prefect: {running.ui_url})")
        say(f"Start a run from there, or: regie run {{{','.join(workflows())}}} … (--help says how). Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            _look_after(running, config)
        say("Ending workers and server; Ctrl-C again kills them")
    say("Everything has ended.")


def _all_of_this_machine(config: Settings, port: int | None) -> contextlib.AbstractContextManager[Stack]:
    """Return what gives the stack: with a server of this machine, unless one is there already."""
    if config.server_url is None:
        return stack(config, say, port=port or config.server_port, console=True)
    if port is not None:
        raise InputError(f"The server is there already, at {config.server_url} (setting server_url): leave --port out.")
    return machine(config, say, console=True)


def _look_after(running: Stack, config: Settings) -> None:
    """Wait for ever; InputError when what was started broke down for good."""
    was_full = False
    while True:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        running.check()
        full = is_full(config.home)
        if full and not was_full:
            say(f"Less than {SPACE >> 20} MB are left on the disk of {config.home}. Make room: runs fail without it.")
        if was_full and not full:
            say(f"There is room on the disk of {config.home} again. `regie resume` goes on with runs that failed.")
        was_full = full


def _say_what_is_missing(config: Settings) -> None:
    wanted = environments_of(workflows().values())
    root = config.environments
    missing = [key for key in wanted if not environments.python(key, root).exists()]
    if missing and config.profile == "process":
        say(
            f"Not installed in {root}: {', '.join(missing)}. Phases of these environments fail until they are: "
            f"regie sync {' '.join(missing)}"
        )
