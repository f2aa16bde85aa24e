"""Live events over HTTP: Server-Sent Events of one run, or of all topics of a page in one stream."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from lib.console.problems import ProblemError, declared
from lib.runs.live import Event, Hub, Listener, TopicNotFoundError

TOPICS_AT_MOST = 20
"""How many topics one stream may tell; a page needs two or three."""
NAME_AT_MOST = 100
"""The longest name of a topic, in characters."""
RECONNECT_MILLISECONDS = 2000
"""How long a browser that lost the stream waits before it comes back."""

router = APIRouter(prefix="/api/v1", tags=["live"])

RunId = Annotated[str, Path(max_length=NAME_AT_MOST, description="The id of a run, or `latest`.")]
Topics = Annotated[
    list[Annotated[str, Query(max_length=NAME_AT_MOST)]],
    Query(
        min_length=1,
        max_length=TOPICS_AT_MOST,
        description="`runs`, `offers`, `system`, `run:ID`: one for each.",
    ),
]
LastEventId = Annotated[
    str, Header(description="The id of the last event that was received: only what was missed since is told.")
]


async def _to_run(request: Request, run_id: RunId, last_event_id: LastEventId = "") -> AsyncIterator[Listener]:
    async with _listening(request, [f"run:{run_id}"], last_event_id) as listener:
        yield listener


async def _to_topics(request: Request, topics: Topics, last_event_id: LastEventId = "") -> AsyncIterator[Listener]:
    async with _listening(request, topics, last_event_id) as listener:
        yield listener


def _listening(request: Request, topics: Sequence[str], last_event_id: str) -> AbstractAsyncContextManager[Listener]:
    hub: Hub = request.app.state.hub
    return _answered(hub.listen(topics, last_event_id))


@asynccontextmanager
async def _answered(listening: AbstractAsyncContextManager[Listener]) -> AsyncIterator[Listener]:
    """What is not there is a problem that is answered before the stream begins."""
    try:
        async with listening as listener:
            yield listener
    except TopicNotFoundError as error:
        raise ProblemError(404, str(error)) from error


@router.get("/runs/{run_id}/events", response_class=EventSourceResponse, responses=declared(404))
async def run_events(listener: Annotated[Listener, Depends(_to_run)]) -> AsyncIterator[ServerSentEvent]:
    """Tell a run live: a snapshot of its rows, then every change, then `end`, and the stream closes.

    The rows are `run`, and `phase:KEY` for each phase. An event's data names its topic: `run:ID`.
    """
    async for event in listener.events():
        yield _on_the_wire(event)


@router.get("/events", response_class=EventSourceResponse, responses=declared(404))
async def events(listener: Annotated[Listener, Depends(_to_topics)]) -> AsyncIterator[ServerSentEvent]:
    """Tell several topics live in one stream, which closes when all of them have ended.

    Events: `snapshot` {topic, rows} in place of all that was told of a topic; `change` {topic, key, value} of one row,
    null when it is gone; `reset` {topic} when what was missed is no longer known, then a snapshot; `trouble` {topic,
    message} while a topic cannot be read, with an empty message when it can again (a new stream begins without
    trouble); `end` {topic} when nothing more is expected of it.
    """
    async for event in listener.events():
        yield _on_the_wire(event)


def _on_the_wire(event: Event) -> ServerSentEvent:
    retry = RECONNECT_MILLISECONDS if event.name == "snapshot" else None
    # In ASCII: some clients take characters like U+2028 for the end of a line.
    data = json.dumps(event.data, separators=(",", ":"))
    return ServerSentEvent(event=event.name, raw_data=data, id=event.id, retry=retry)
