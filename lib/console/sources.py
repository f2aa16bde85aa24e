"""What is told live: where the topics of the hub are read from."""

from collections.abc import Mapping

from anyio import to_thread

from lib.console.context import Console
from lib.runs.live import Reading, Source, TopicNotFoundError
from lib.runs.reader import RunNotFoundError, read_status
from lib.runs.topics import run_topic

SECONDS_BETWEEN_READINGS = 2.0
"""How often the machine is looked at while somebody watches."""


def sources(console: Console) -> Mapping[str, Source]:
    """Return what reads each kind of topic: `run:ID`, `runs`, `system`."""

    async def run(run_id: str) -> Reading:
        try:
            return run_topic(await read_status(console.client, run_id, console.workflows))
        except RunNotFoundError as error:
            raise TopicNotFoundError(str(error)) from error

    async def system(_: str) -> Reading:
        machine = await to_thread.run_sync(console.gauge.read)
        return Reading({"machine": machine.model_dump(mode="json")}, again=SECONDS_BETWEEN_READINGS)

    return {"run:": run, "system": system}
