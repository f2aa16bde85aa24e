import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, routing

from lib.console import problems
from lib.console.__main__ import Server
from lib.console.events import router
from lib.ports import listen_on
from lib.runs import live
from lib.runs.live import Hub, Reading, TopicNotFoundError

DEADLINE = 20.0


@dataclass
class Truth:
    """What the topics of a server are about; the test changes it, and counts how often it is read."""

    runs: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    reads: int = 0

    async def run(self, run_id: str) -> Reading:
        self.reads += 1
        if run_id not in self.runs:
            raise TopicNotFoundError(f"There is no run {run_id}.")
        return Reading(dict(self.runs[run_id]), run_id in self.ended, again=0.001)

    async def system(self, _: str) -> Reading:
        return Reading({"machine": {"cpu": 1}}, again=3600)


class Running:
    """A server in a thread of its own, on a free port."""

    def __init__(self, truth: Truth) -> None:
        self.app = FastAPI(lifespan=self._lifespan)
        self.app.include_router(router)
        problems.install(self.app)
        self.truth = truth
        self.server = Server(self.app)
        listening = listen_on("127.0.0.1", 0, "REGIE_CONSOLE_PORT")
        self.port: int = listening.getsockname()[1]
        self.thread = threading.Thread(target=self.server.run, args=([listening],))
        self.thread.start()
        until(lambda: self.server.started)
        self.url = f"http://127.0.0.1:{self.port}/api/v1"

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        app.state.hub = self.hub = Hub({"run:": self.truth.run, "system": self.truth.system})
        self.loop = asyncio.get_running_loop()
        yield

    def tasks(self) -> int:
        """How many tasks there are in the server."""
        return asyncio.run_coroutine_threadsafe(_count_tasks(), self.loop).result(DEADLINE)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


async def _count_tasks() -> int:
    return len(asyncio.all_tasks())


@dataclass(frozen=True)
class Told:
    """An event as it stood on the wire."""

    name: str
    data: Any
    id: str


def parsed(lines: Iterator[str]) -> Iterator[Told | str]:
    """Read a stream as the standard says; a comment is given as a string."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            yield line[1:].strip()
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield Told(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
            fields = {}


@contextlib.contextmanager
def stream(url: str, last_id: str = "", **params: Any) -> Iterator[Iterator[Told]]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with httpx.stream("GET", url, headers=headers, params=params, timeout=DEADLINE) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield (each for each in parsed(response.iter_lines()) if isinstance(each, Told))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS_BETWEEN", 0.001)


@pytest.fixture
def truth() -> Truth:
    return Truth({"1": {"run": {"state": "running"}, "phase:a": {"progress": 0}}})


@pytest.fixture
def running(truth: Truth) -> Iterator[Running]:
    server = Running(truth)
    try:
        yield server
    finally:
        server.stop()


def test_a_run_is_told_from_its_snapshot_to_its_end_and_the_stream_closes(running: Running, truth: Truth):
    with stream(f"{running.url}/runs/1/events") as events:
        assert next(events).data == {"topic": "run:1", "rows": truth.runs["1"]}
        truth.runs["1"]["phase:a"] = {"progress": 50}
        change = next(events)
        assert (change.name, change.data) == (
            "change",
            {"topic": "run:1", "key": "phase:a", "value": {"progress": 50}},
        )
        truth.runs["1"]["run"] = {"state": "completed"}
        truth.ended.add("1")
        assert [(event.name, event.data["topic"]) for event in events] == [("change", "run:1"), ("end", "run:1")]


def test_a_run_that_ended_is_a_snapshot_and_an_end(running: Running, truth: Truth):
    truth.ended.add("1")
    with stream(f"{running.url}/runs/1/events") as events:
        assert [event.name for event in events] == ["snapshot", "end"]


def test_a_text_from_outside_stays_within_its_event(running: Running, truth: Truth):
    hostile = 'x\n\nevent: end\ndata: {}\r\rid: 0:0\n\0</script>"\u2028'
    truth.runs["1"]["run"] = {"message": hostile}
    truth.ended.add("1")
    with stream(f"{running.url}/runs/1/events") as events:
        snapshot, end = events
    assert snapshot.data["rows"]["run"]["message"] == hostile
    assert (end.name, end.data) == ("end", {"topic": "run:1"})


def test_an_unknown_run_is_a_problem_and_no_stream(running: Running):
    for path in ("runs/2/events", "events?topics=run:2", "events?topics=run:1&topics=other", "events?topics=system:1"):
        response = httpx.get(f"{running.url}/{path}")
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"].startswith("There is no ")
    until(lambda: running.hub.listeners == 0)


@pytest.mark.parametrize("query", ["", "?topics=" + 200 * "x", "?" + "&".join(f"topics=run:{n}" for n in range(21))])
def test_topics_that_cannot_be_are_refused(running: Running, query: str):
    assert httpx.get(f"{running.url}/events{query}").status_code == 422


def test_one_stream_tells_several_topics(running: Running, truth: Truth):
    truth.runs["2"] = {"run": {"state": "running"}}
    with stream(f"{running.url}/events", topics=["run:1", "run:2", "system"]) as events:
        snapshots = [next(events) for _ in range(3)]
        assert {each.data["topic"]: each.data["rows"] for each in snapshots} == {
            "run:1": truth.runs["1"],
            "run:2": truth.runs["2"],
            "system": {"machine": {"cpu": 1}},
        }
        # Who loses the stream among the snapshots starts over: only the last one can be gone on from.
        assert [bool(each.id) for each in snapshots] == [False, False, True]
        truth.ended.add("1")
        assert next(events).data == {"topic": "run:1"}
        truth.runs["2"]["run"] = {"state": "completed"}
        assert next(events).data["topic"] == "run:2"


def test_the_stream_of_several_topics_closes_when_all_have_ended(running: Running, truth: Truth):
    truth.runs["2"] = {"run": {"state": "running"}}
    with stream(f"{running.url}/events", topics=["run:1", "run:2"]) as events:
        truth.ended.add("1")
        assert [next(events).name for _ in range(3)] == ["snapshot", "snapshot", "end"]
        truth.ended.add("2")
        assert [event.data for event in events] == [{"topic": "run:2"}]


def test_a_connection_that_was_dropped_goes_on_where_it_was(running: Running, truth: Truth):
    with stream(f"{running.url}/runs/1/events") as events:
        last_id = next(events).id
    until(lambda: running.hub.listeners == 0)
    for progress in (10, 20, 30):
        truth.runs["1"]["phase:a"] = {"progress": progress}
    truth.ended.add("1")
    with stream(f"{running.url}/runs/1/events", last_id) as events:
        change, end = events
    assert (change.data["key"], change.data["value"]) == ("phase:a", {"progress": 30})
    assert end.name == "end"
    with stream(f"{running.url}/runs/1/events", change.id) as events:
        assert [event.name for event in events] == ["end"]


def test_after_a_restart_of_the_server_a_client_starts_over(running: Running, truth: Truth):
    with stream(f"{running.url}/runs/1/events") as events:
        last_id = next(events).id
        running.stop()
    truth.ended.add("1")
    again = Running(truth)
    try:
        with stream(f"{again.url}/runs/1/events", last_id) as events:
            reset, snapshot, _ = events
    finally:
        again.stop()
    assert (reset.name, reset.data) == ("reset", {"topic": "run:1"})
    assert snapshot.name == "snapshot"
    assert snapshot.id.split(":")[0] != last_id.split(":")[0]


def test_a_server_that_stops_ends_its_streams(running: Running):
    with stream(f"{running.url}/runs/1/events") as events:
        next(events)
        running.server.should_exit = True
        # Its end is whole, as httpx would raise otherwise: it was not cut off when the graceful time was over.
        assert list(events) == []


def test_a_client_that_leaves_leaves_nothing_behind(running: Running):
    before = running.tasks()
    for _ in range(5):
        with stream(f"{running.url}/events", topics=["run:1", "system"]) as events:
            next(events)
            assert running.tasks() > before
    until(lambda: running.hub.listeners == 0)
    until(lambda: running.tasks() <= before)


def test_a_stream_in_which_nothing_happens_shows_that_it_is_alive(running: Running, monkeypatch: pytest.MonkeyPatch):
    assert routing._PING_INTERVAL == 15.0
    monkeypatch.setattr(routing, "_PING_INTERVAL", 0.05)
    with httpx.stream("GET", f"{running.url}/runs/1/events", timeout=DEADLINE) as response:
        told = parsed(response.iter_lines())
        assert isinstance(next(told), Told)
        assert [next(told) for _ in range(3)] == ["ping"] * 3


def test_a_slow_reader_misses_what_was_overtaken_and_gets_the_last(running: Running, truth: Truth):
    updates, size = 200, 100_000
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", running.port))
        slow.sendall(b"GET /api/v1/runs/1/events HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        with stream(f"{running.url}/runs/1/events") as events:
            next(events)
            until(lambda: running.hub.listeners == 2)
            for number in range(updates):
                truth.runs["1"]["phase:a"] = {"progress": number, "item": size * "x"}
                assert next(events).data["value"]["progress"] == number
        truth.ended.add("1")
        slow.settimeout(DEADLINE)
        got = b"".join(iter(lambda: slow.recv(1 << 20), b""))
    told = [each for each in parsed(iter(got.decode().partition("\r\n\r\n")[2].split("\n"))) if isinstance(each, Told)]
    assert told[-1].name == "end"
    assert told[-2].data["value"]["progress"] == updates - 1
    # What the kernel took in meanwhile, and not what a queue held.
    assert len(told) < updates / 2


def test_two_hundred_listeners_are_told_from_one_reader(running: Running, truth: Truth):
    async def listen(client: httpx.AsyncClient, begun: asyncio.Semaphore) -> tuple[int, Any]:
        changes, last = 0, None
        async with client.stream("GET", f"{running.url}/runs/1/events") as response:
            async for line in response.aiter_lines():
                if line.startswith("data: ") and '"rows"' in line:
                    begun.release()
                elif line.startswith("data: ") and '"value"' in line:
                    changes, last = changes + 1, json.loads(line[6:])["value"]
        return changes, last

    async def scenario() -> list[tuple[int, Any]]:
        limits = httpx.Limits(max_connections=None)
        begun = asyncio.Semaphore(0)
        async with httpx.AsyncClient(limits=limits, timeout=3 * DEADLINE) as client:
            listeners = [asyncio.create_task(listen(client, begun)) for _ in range(200)]
            for _ in listeners:
                await begun.acquire()
            assert running.hub.listeners == 200
            before = truth.reads
            for progress in range(1, 2001):
                truth.runs["1"]["phase:a"] = {"progress": progress}
                await asyncio.sleep(0)
            await asyncio.to_thread(until, lambda: truth.reads > before + 2)
            truth.ended.add("1")
            return await asyncio.gather(*listeners)

    told = asyncio.run(scenario())
    assert {last["progress"] for _, last in told} == {2000}
    assert max(changes for changes, _ in told) < 1000
    # One poller, at its own pace: far fewer readings than listeners times changes.
    assert truth.reads < 1000


def test_a_real_run_is_told_and_what_prefect_says_of_it_is_heard(console: httpx.Client, toy_folder: str):
    import regie_toy

    api = str(console.base_url.join("/api/v1"))
    with stream(f"{api}/events", topics=["runs", "system"]) as events:
        known = {key for _ in range(2) for key in next(events).data["rows"]}
        assert "machine" in known
        run = regie_toy.toy(source="/things/told box", inline=True, return_state=True)
        run_id = str(run.state_details.flow_run_id)
        rows = (event.data["value"] for event in events if event.data.get("key") == run_id)
        assert any(row["state"] == "completed" for row in rows)
    with stream(f"{api}/runs/{run_id}/events") as events:
        snapshot, end = events
    assert list(snapshot.data["rows"]) == ["run", *(f"phase:{phase.key}" for phase in regie_toy.TOY.phases)]
    assert {row["state"] for row in snapshot.data["rows"].values()} == {"completed"}
    assert end.name == "end"


def test_a_run_that_prefect_does_not_know_is_not_found(console: httpx.Client):
    for run_id in (str(uuid4()), "nonsense", "%00", "..%2f"):
        assert console.get(f"/api/v1/runs/{run_id}/events").status_code == 404


def test_that_prefect_is_away_is_told_and_holds_up_nothing_else(lonely: httpx.Client):
    api = str(lonely.base_url.join("/api/v1"))
    with stream(f"{api}/events", topics=["runs", "system"]) as events:
        told = [next(events) for _ in range(2)]
    assert {event.data["topic"]: event.name for event in told} == {"runs": "trouble", "system": "snapshot"}
    assert "`regie up`" in next(event.data["message"] for event in told if event.name == "trouble")
