"""`regie up`: server, pools, workers and deployments, until Ctrl-C."""

import signal
import threading
from typing import Annotated

import typer

from deployments.cli.app import app, configured, say
from deployments.stack import stack


@app.command()
def up(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the Prefect server on 127.0.0.1.")] = None,
) -> None:
    """Start the Prefect server, the work pools, their workers and the deployments; Ctrl-C ends them all."""
    config = configured()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with stack(config, say, port=port or config.server_port, console=True) as running:
        say(f"Régie is up: {running.console_url} (Prefect: {running.ui_url})")
        say("Start a run from there, or: regie run video SOURCE --out FOLDER. Ctrl-C ends it.")
        while not stop.wait(0.5):
            running.check()
        say("Ending workers and server")
    say("Everything has ended.")
