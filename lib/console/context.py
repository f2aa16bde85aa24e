"""What the routes of the console work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from lib.console.engines import EngineCheck
from lib.console.metrics import Metrics
from lib.console.system import Gauge
from lib.console.timings import Timings
from lib.runs.plan import Workflow
from lib.runs.server import PrefectClient
from lib.settings import Settings


@dataclass(frozen=True)
class Console:
    """The one console of this process."""

    settings: Settings
    workflows: dict[str, Workflow]
    client: PrefectClient
    gauge: Gauge
    engines: EngineCheck
    timings: Timings
    metrics: Metrics


def current(request: Request) -> Console:
    """Return the console that a request came to."""
    console: Console = request.app.state.console
    return console


Here = Annotated[Console, Depends(current)]
"""A parameter of a route that is the console."""
