"""What is told live: what the topics of the hub are read from."""

from collections.abc import Awaitable, Callable

from anyio import to_thread

from lib.console.context import Console
from lib.console.problems import ProblemError
from lib.console.views import READ, View
from lib.runs.listing import read_runs
from lib.runs.live import Reading, Source, TopicNotFoundError
from lib.runs.reader import RunNotFoundError, read_status
from lib.runs.topics import run_topic, runs_topic, view_topic

SECONDS_BETWEEN_READINGS = 2.0
"""How often the machine is looked at while somebody watches."""


def sources(console: Console) -> dict[str, Source]:
    """Return what reads each kind of topic: `run:ID` or `run:latest`, `runs`, a view's, `system` (row `machine`)."""

    async def run(run_id: str) -> Reading:
        try:
            return run_topic(await read_status(console.client, run_id, console.workflows))
        except RunNotFoundError as error:
            raise TopicNotFoundError(str(error)) from error

    async def runs(_: str) -> Reading:
        return runs_topic(await read_runs(console.client, console.workflows))

    def view(read: Callable[[Console], Awaitable[View]]) -> Source:
        async def reading(_: str) -> Reading:
            try:
                now = await read(console)
            except ProblemError as error:
                raise TopicNotFoundError(error.detail) from error
            return view_topic(now.status, now.rows())

        return reading

    async def system(_: str) -> Reading:
        machine = await to_thread.run_sync(console.gauge.read)
        return Reading({"machine": machine.model_dump(mode="json")}, again=SECONDS_BETWEEN_READINGS)

    return {"run:": run, "runs": runs, **{kind: view(read) for kind, read in READ.items()}, "system": system}


def hinted(topic: str) -> tuple[str, ...]:
    """Return the topics that a hint of one is about: what runs show changes as they do."""
    return (topic, *READ) if topic == "runs" else (topic,)
