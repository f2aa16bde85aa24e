"""Hold a stack of the toy workflow: says what it got, obeys the lines of standard input, and leaves at their end."""

import json
import sys
import time
from typing import Any

from deployments.stack import stack
from lib.errors import InputError
from lib.settings import read_settings
from lib.workflows import workflows


def tell(**words: object) -> None:
    """Print one line of JSON."""
    print(json.dumps(words), flush=True)


def run(only: list[int] | None, orders: dict[str, Any], wait: bool) -> None:
    """Run the toy's deployment: to its end, or only start it."""
    from prefect.deployments import run_deployment

    from lib.runs.reader import run_status

    started = run_deployment(
        "toy/regie",
        parameters={"source": "toy box", "orders": orders, "only": only},
        timeout=None if wait else 0,
        poll_interval=0.2,
        as_subflow=False,
    )
    tell(status=run_status(str(started.id), workflows()).model_dump(mode="json"))


def resume(resumed: str) -> None:
    """Have a run go on to its end; say how it stood before and after."""
    from lib.runs.control import resume_run
    from lib.runs.reader import run_status

    tell(status=run_status(resumed, workflows()).model_dump(mode="json"))
    resume_run(resumed, workflows())
    while not (status := run_status(resumed, workflows())).state.final:
        time.sleep(0.1)
    tell(status=status.model_dump(mode="json"))


try:
    with stack(read_settings(), lambda line: tell(said=line), port=int(sys.argv[1]) if sys.argv[1:] else None) as got:
        tell(own=got.own, api_url=got.api_url, ui_url=got.ui_url)
        for line in sys.stdin:
            words = json.loads(line)
            (resume if "resumed" in words else run)(**words)
except InputError as error:
    tell(refused=str(error))
tell(left=True)
