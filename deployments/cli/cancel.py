"""`regie cancel`: stop a run."""

import time

from deployments.cli.app import app, say
from deployments.cli.serving import Run, serving
from lib.errors import InputError
from lib.workflows import workflows

SECONDS_BETWEEN_LOOKS = 0.2
PATIENCE_SECONDS = 60
"""How long a run may take to stop before it is said that it does not."""


@app.command()
def cancel(run: Run) -> None:
    """Stop a run and wait until it has stopped; what is done is kept, and `regie resume` goes on with it."""
    with serving() as server:
        from lib.runs import control
        from lib.runs.reader import read_status

        status = server.status(run)
        if status.over:
            say(f"The run of {status.subject} had ended already: {status.state.value}.")
            return
        begun = time.monotonic()
        server.connection(control.cancel, status.run_id)
        while not status.over:
            if time.monotonic() - begun > PATIENCE_SECONDS:
                raise InputError(
                    f"The run of {status.subject} was asked to stop and has not within {PATIENCE_SECONDS} s: it will "
                    "as soon as its process looks up. What it does: regie logs"
                )
            time.sleep(SECONDS_BETWEEN_LOOKS)
            status = server.connection(read_status, status.run_id, workflows())
    took = f"{time.monotonic() - begun:.1f} s"
    say(f"The run of {status.subject} is {status.state.value}, after {took}. To go on: regie resume {status.run_id}")
