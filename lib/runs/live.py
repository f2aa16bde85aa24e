"""Topics that are told live: each is read by one poller while anybody listens, however many do."""

import asyncio
import contextlib
import logging
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib.errors import InputError
from lib.runs.changes import Change, ChangeLog, Row

SECONDS_TO_READ = 10.0
"""How long one reading of a topic may take."""
SECONDS_BETWEEN = 0.1
"""Least time between two readings of a topic, however many hints come in."""
SECONDS_OF_BACK_OFF = (0.5, 5.0)
"""The first and the longest time before a topic that could not be read is tried again; it doubles between."""
IDLE_KEPT = 100
"""How many topics that nobody listens to are remembered, for those who lost their connection and come back."""
_CURSOR = re.compile(r"(?P<epoch>[0-9a-f]{1,32}):(?P<number>[0-9]{1,15})")

logger = logging.getLogger(__name__)


class TopicNotFoundError(LookupError):
    """There is no such topic, or what it is about is not there."""


@dataclass(frozen=True)
class Reading:
    """A topic as it is now."""

    rows: Mapping[str, Row]
    ended: bool = False
    """Whether nothing more is expected of it."""
    again: float = 5.0
    """Seconds after which it is worth reading again; a hint may come before."""


Source = Callable[[str], Awaitable[Reading]]
"""Reads a topic, given what stands behind the colon of its name; raises TopicNotFoundError."""


@dataclass(frozen=True)
class Event:
    """What a listener is told.

    - `snapshot` {topic, rows}: all rows of a topic, in place of those that were told before.
    - `change` {topic, key, value}: one row; its value is null when it is gone, and it may never have been told.
    - `reset` {topic}: what was missed is no longer known; a snapshot follows.
    - `trouble` {topic, message}: the topic cannot be read at present; it can again when the message is empty.
    - `end` {topic}: nothing more is expected of it. The events end when all topics have ended.
    """

    name: str
    data: Mapping[str, Any]
    id: str | None = None
    """Up to here nothing was missed; to be given when coming back."""


@dataclass(eq=False)
class _Topic:
    name: str
    read: Callable[[], Awaitable[Reading]]
    log: ChangeLog | None = None
    """None until it was read once."""
    ended: bool = False
    trouble: str = ""
    missing: TopicNotFoundError | None = None
    listeners: set["Listener"] = field(default_factory=set)
    poller: asyncio.Task[None] | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the poller at work has read, or has failed to."""
    hint: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """The topics of this process and their listeners; belongs to one event loop.

    `sources` read the topics: under `runs` the one of the topic `runs`, under `run:` the one of all topics `run:…`.
    Changes are numbered through all topics, and an id is `<epoch>:<number>`; the epoch is new with each hub.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)
        self._topics: OrderedDict[str, _Topic] = OrderedDict()
        self._epoch = secrets.token_hex(6)
        self.last = 0
        """The number of the last change."""
        self.closed = False

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len({each for topic in self._topics.values() for each in topic.listeners})

    @contextlib.asynccontextmanager
    async def listen(self, names: Sequence[str], last_id: str = "") -> AsyncIterator["Listener"]:
        """Give a listener to topics; `last_id` is the id of the last event that it was told before, if any.

        Raises TopicNotFoundError. A topic that cannot be read at present is no error: its listeners are told.
        """
        topics = [self._topic(name) for name in dict.fromkeys(names)]
        listener = Listener(self, topics, self._number_of(last_id), came_back=bool(last_id))
        try:
            for topic in topics:
                self._attach(topic, listener)
            for topic in topics:
                await topic.asked.wait()
                if topic.missing:
                    raise TopicNotFoundError(str(topic.missing))
            listener.begin()
            yield listener
        finally:
            for topic in topics:
                self._detach(topic, listener)

    def hint(self, name: str) -> None:
        """Have a topic read soon, if anybody listens to it."""
        if topic := self._topics.get(name):
            topic.hint.set()

    def close(self) -> None:
        """End every listener's events and every poller. To be called in the hub's event loop."""
        self.closed = True
        for topic in self._topics.values():
            topic.asked.set()
            self._notify(topic)
            self._stop(topic)

    def id(self, number: int) -> str:
        """Return the id of a change."""
        return f"{self._epoch}:{number}"

    def _topic(self, name: str) -> _Topic:
        if known := self._topics.get(name):
            return known
        kind, colon, argument = name.partition(":")
        source = self._sources.get(kind + colon)
        if source is None:
            raise TopicNotFoundError(f"There is no topic {name}.")
        return _Topic(name, lambda: source(argument))

    def _attach(self, topic: _Topic, listener: "Listener") -> None:
        self._topics[topic.name] = topic
        self._topics.move_to_end(topic.name)
        topic.listeners.add(listener)
        if self.closed:
            topic.asked.set()
        elif topic.poller is None or topic.poller.done():
            topic.missing = None
            topic.asked.clear()
            topic.poller = asyncio.create_task(self._poll(topic), name=f"poll {topic.name}")

    def _detach(self, topic: _Topic, listener: "Listener") -> None:
        topic.listeners.discard(listener)
        if topic.listeners:
            return
        self._stop(topic)
        idle = [each.name for each in self._topics.values() if not each.listeners]
        excess = len(idle) - IDLE_KEPT
        for name in [*idle[: max(excess, 0)], *([topic.name] if topic.log is None or topic.missing else [])]:
            self._topics.pop(name, None)

    @staticmethod
    def _stop(topic: _Topic) -> None:
        if topic.poller is not None:
            topic.poller.cancel()
            topic.poller = None

    async def _poll(self, topic: _Topic) -> None:
        """Read a topic again and again, and tell its listeners when there is something to tell."""
        clock = asyncio.get_running_loop().time
        first, longest = SECONDS_OF_BACK_OFF
        back_off = first
        while True:
            topic.hint.clear()
            begun = clock()
            try:
                async with asyncio.timeout(SECONDS_TO_READ):
                    reading = await topic.read()
                self._take(topic, reading)
            except TopicNotFoundError as error:
                # It may have been there until now: then its rows are gone and nothing more is expected.
                topic.missing = error
                self._take(topic, Reading({}, ended=True))
                return
            except Exception as error:  # noqa: BLE001  # whatever is wrong with a source must not end what is told
                self._failed(topic, error)
                pause = back_off
                back_off = min(2 * back_off, longest)
            else:
                back_off = first
                # A slow source is given as much time to rest as it took to read.
                took = clock() - begun
                pause = max(reading.again - took, took)
            await asyncio.sleep(min(SECONDS_BETWEEN, pause))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(topic.hint.wait(), max(pause - SECONDS_BETWEEN, 0))

    def _take(self, topic: _Topic, reading: Reading) -> None:
        before = (self.last, topic.ended, topic.trouble)
        if topic.log is None:
            # An id that was given before cannot be about this log.
            self.last += 1
            topic.log = ChangeLog(floor=self.last)
        self.last = topic.log.update(reading.rows, self.last)
        topic.ended = reading.ended
        topic.trouble = ""
        topic.asked.set()
        if (self.last, topic.ended, topic.trouble) != before:
            self._notify(topic)

    def _failed(self, topic: _Topic, error: Exception) -> None:
        if not topic.trouble:
            words = f"{type(error).__name__}."
            if isinstance(error, InputError):
                words = str(error)
            elif isinstance(error, TimeoutError):
                words = f"No answer came within {SECONDS_TO_READ:g} seconds."
            trace = None if isinstance(error, InputError) else error
            logger.warning("The topic %s cannot be read and is tried again: %s", topic.name, words, exc_info=trace)
            topic.trouble = f"This cannot be read at present and is tried again: {words}"
            self._notify(topic)
        topic.asked.set()

    @staticmethod
    def _notify(topic: _Topic) -> None:
        for listener in topic.listeners:
            listener.wake.set()

    def _number_of(self, last_id: str) -> int:
        """Return the number in an id, or -1 for an id that is not of this hub."""
        match = _CURSOR.fullmatch(last_id)
        number = int(match["number"]) if match and match["epoch"] == self._epoch else -1
        return number if number <= self.last else -1


class Listener:
    """One who is told about topics, at their own pace; made by `Hub.listen`.

    It is a cursor and no queue: who is slow is told less often, and then the latest.
    """

    def __init__(self, hub: Hub, topics: Sequence[_Topic], cursor: int, *, came_back: bool) -> None:
        self.wake = asyncio.Event()
        self._hub = hub
        self._topics = topics
        self._cursor = cursor
        # Whether it was told something before, which a snapshot then takes the place of.
        self._came_back = came_back
        self._begun: list[_Topic] = []
        self._troubles: dict[str, str] = {}
        self._ended: set[str] = set()

    def begin(self) -> None:
        """Go on from the cursor, where all of the topics can."""
        if all(topic.log is not None for topic in self._topics) and not self._missed(self._topics):
            self._begun = list(self._topics)

    async def events(self) -> AsyncIterator[Event]:
        """Give what there is to tell, as it comes, until all topics have ended or the hub is closed."""
        while not self._hub.closed:
            self.wake.clear()
            if due := self._due():
                for event in due:
                    yield event
            elif all(topic.ended for topic in self._topics):
                return
            else:
                await self.wake.wait()

    def _due(self) -> list[Event]:
        """Return what is to be told next. The rest is looked at when that is told, as it is then."""
        if troubles := self._troubles_due():
            return troubles
        if self._missed(self._begun):
            # Too slow: more rows went away than a log remembers.
            self._begun.clear()
            self._came_back = True
        changes = (
            (change, topic)
            for topic in self._begun
            if topic.log is not None and (change := topic.log.after(self._cursor))
        )
        if first := min(changes, key=lambda each: each[0].number, default=None):
            return [self._change(*first)]
        return self._snapshots_due() or self._ends_due()

    def _missed(self, topics: Sequence[_Topic]) -> bool:
        """Tell whether a log no longer knows all that happened since the cursor."""
        return any(topic.log is not None and topic.log.floor > self._cursor for topic in topics)

    def _change(self, change: Change, topic: _Topic) -> Event:
        self._cursor = change.number
        return Event(
            "change", {"topic": topic.name, "key": change.key, "value": change.value}, self._hub.id(change.number)
        )

    def _snapshots_due(self) -> list[Event]:
        """Return all rows of the topics that were read by now; the listener knows all changes of the others."""
        fresh = [(topic, topic.log) for topic in self._topics if topic.log is not None and topic not in self._begun]
        events: list[Event] = []
        for topic, log in fresh:
            if self._came_back:
                events.append(Event("reset", {"topic": topic.name}))
            events.append(Event("snapshot", {"topic": topic.name, "rows": log.rows()}))
            self._begun.append(topic)
        if events:
            # Only the last one has an id: who gets but a part of them starts over.
            self._cursor = self._hub.last
            events[-1] = replace(events[-1], id=self._hub.id(self._cursor))
        return events

    def _troubles_due(self) -> list[Event]:
        changed = [topic for topic in self._topics if topic.trouble != self._troubles.get(topic.name, "")]
        self._troubles = {topic.name: topic.trouble for topic in self._topics}
        return [Event("trouble", {"topic": topic.name, "message": topic.trouble}) for topic in changed]

    def _ends_due(self) -> list[Event]:
        ended = [topic.name for topic in self._topics if topic.ended]
        due = [name for name in ended if name not in self._ended]
        # One that goes on after all, like a run that is resumed, may end again.
        self._ended = set(ended)
        return [Event("end", {"topic": name}) for name in due]
