import asyncio
import contextlib
from collections import Counter
from uuid import uuid4

import pytest
from httpx import URL
from prefect import flow, tags
from prefect.events import Event, RelatedResource, Resource
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from lib.runs import hints
from lib.runs.hints import follow, topics_of

DEADLINE = 30.0


async def until(heard: Counter, *topics: str) -> None:
    async with asyncio.timeout(DEADLINE):
        while not all(heard[topic] for topic in topics):
            await asyncio.sleep(0.02)


def test_an_event_is_about_its_run_the_run_above_it_and_the_list():
    event = Event(
        event="prefect.flow-run.Running",
        resource=Resource({"prefect.resource.id": "prefect.flow-run.7"}),
        related=[
            RelatedResource({"prefect.resource.id": f"prefect.{name}", "prefect.resource.role": "x"})
            for name in ("tag.run:1", "tag.video", "flow.3")
        ],
    )
    assert set(topics_of(event)) == {"runs", "run:latest", "run:7", "run:1"}


@pytest.mark.usefixtures("prefect_server")
def test_a_run_and_its_child_are_heard_of():
    root = str(uuid4())

    runs: list[str] = []

    @flow(name="hints-child", persist_result=False)
    def child() -> None:
        runs.append(f"run:{flow_run.id}")

    @flow(name="hints-root", persist_result=False)
    def parent() -> None:
        runs.append(f"run:{flow_run.id}")
        with tags(f"run:{root}"):
            child()

    async def scenario() -> None:
        heard: Counter = Counter()
        following = asyncio.create_task(follow(lambda topic: heard.update([topic])))
        await asyncio.to_thread(parent)
        # The root, the child, and the run that its tag names; what other tests ran may be heard of too.
        await until(heard, "runs", f"run:{root}", *runs)
        following.cancel()
        await asyncio.wait([following])

    asyncio.run(scenario())


class Line:
    """A line to the server that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self.there = (host, port)
        self.cut = True
        self.refused = 0
        self.writers: set[asyncio.StreamWriter] = set()
        self.carrying: set[asyncio.Future] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            self.refused += 1
            writer.close()
            return
        there = await asyncio.open_connection(*self.there)
        self.writers |= {writer, there[1]}
        self.carrying.add(
            asyncio.ensure_future(asyncio.gather(self.pump(reader, there[1]), self.pump(there[0], writer)))
        )

    @staticmethod
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    def drop(self) -> None:
        self.cut = True
        for writer in self.writers:
            writer.close()
        self.writers.clear()


@pytest.mark.usefixtures("prefect_server")
def test_a_server_that_goes_away_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hints, "SECONDS_OF_BACK_OFF", (0.05, 0.1))
    server = URL(PREFECT_API_URL.value())

    @flow(name="hints-after", persist_result=False)
    def after() -> None:
        """Do nothing."""

    async def scenario() -> None:
        heard: Counter = Counter()
        line = Line(server.host, server.port or 80)
        async with await asyncio.start_server(line.carry, "127.0.0.1") as listening:
            port = listening.sockets[0].getsockname()[1]
            with temporary_settings({PREFECT_API_URL: str(server.copy_with(port=port))}):
                following = asyncio.create_task(follow(lambda topic: heard.update([topic])))
            for _ in range(2):
                refused = line.refused
                async with asyncio.timeout(DEADLINE):
                    while line.refused < refused + 3:
                        await asyncio.sleep(0.01)
                line.cut = False
                heard.clear()
                async with asyncio.timeout(DEADLINE):
                    while not heard["runs"]:  # what happens before the line holds may never be heard of
                        await asyncio.to_thread(after)
                line.drop()
            following.cancel()
            await asyncio.wait([following])
            await asyncio.gather(*line.carrying)

    asyncio.run(scenario())
