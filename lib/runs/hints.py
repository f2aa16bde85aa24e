"""Prefect's events as hints that something happened; what it was is read, never taken from an event."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import NoReturn

from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

from lib.runs.family import TAG

SECONDS_OF_BACK_OFF = (1.0, 30.0)
"""The first and the longest time before a connection that was lost is made again; it doubles between."""
_RESOURCE = "prefect.flow-run."
_TAG_RESOURCE = "prefect.tag."

logger = logging.getLogger(__name__)


async def follow(hint: Callable[[str], None]) -> NoReturn:
    """Name the topics that an event of a flow run is about, for ever: `hint("run:ID")`, `hint("runs")`.

    One connection for all runs: a child's event names its run by a tag. Events may be lost, come late or not at all
    (the server holds 256 for a connection, and none while there is no connection), so that nothing may rest on them.
    """
    first, longest = SECONDS_OF_BACK_OFF
    back_off = first
    events = EventFilter(event=EventNameFilter(prefix=[_RESOURCE]))
    while True:
        try:
            async with get_events_subscriber(filter=events, reconnection_attempts=0) as subscriber:
                back_off = first
                async for event in subscriber:
                    for topic in topics_of(event):
                        hint(topic)
        except Exception as error:  # noqa: BLE001  # hints are not worth more than a line in the log
            logger.debug("No events of Prefect for %.0f s: %s: %s", back_off, type(error).__name__, error)
        await asyncio.sleep(back_off)
        back_off = min(2 * back_off, longest)


def topics_of(event: Event) -> Iterator[str]:
    """Give the topics that an event of a flow run is about; `run:latest` may be about any run."""
    yield "runs"
    yield "run:latest"
    yield f"run:{event.resource.id.removeprefix(_RESOURCE)}"
    for related in event.related:
        if related.id.startswith(_TAG_RESOURCE + TAG):
            yield related.id.removeprefix(_TAG_RESOURCE)
