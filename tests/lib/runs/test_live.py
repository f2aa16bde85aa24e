import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.errors import InputError
from lib.runs import changes, live
from lib.runs.live import Event, Hub, Reading, TopicNotFoundError

DEADLINE = 20.0


class Truth:
    """What a topic is about: rows that the test changes, and how often they were read."""

    def __init__(self, **rows: dict) -> None:
        self.rows = dict(rows)
        self.ended = False
        self.broken: Exception | None = None
        self.reads = 0
        self.again = 0.001

    async def read(self, argument: str) -> Reading:
        self.reads += 1
        await asyncio.sleep(0)
        if self.broken:
            raise self.broken
        return Reading(dict(self.rows), self.ended, self.again)

    async def is_read(self) -> None:
        """Wait until a reading that began after this call is over."""
        reads = self.reads
        await until(lambda: self.reads >= reads + 2)


class Client:
    """One who listens as a browser does: it keeps rows and the last id, and may lose what is on its way."""

    def __init__(self, hub: Hub, *topics: str) -> None:
        self.hub = hub
        self.topics = topics
        self.rows: dict[str, dict] = {}
        self.told: list[Event] = []
        self.last_id = ""
        self.arrived: list[Event] = []
        self._allowed = asyncio.Semaphore(0)
        self.free = False
        self.connected = False
        self.task: asyncio.Task | None = None

    def connect(self, *, free: bool = True) -> "Client":
        """Begin to listen; without `free` an event is taken only when it is asked for."""
        self.free = free
        self.task = self.task or asyncio.create_task(self._listen())
        return self

    async def _listen(self) -> None:
        async with self.hub.listen(self.topics, self.last_id) as listener:
            self.connected = True
            async for event in listener.events():
                if not self.free:
                    await self._allowed.acquire()
                self.arrived.append(event)
                if self.free:
                    self.apply()

    def take(self) -> None:
        self._allowed.release()

    def go_on(self) -> None:
        self.free = True
        self.apply()
        self._allowed.release()

    def apply(self, most: int = 1_000_000) -> None:
        """Do what a page does with the events that arrived, or with the first of them."""
        for event in self.arrived[:most]:
            self.told.append(event)
            topic = event.data["topic"]
            match event.name:
                case "reset":
                    self.rows.pop(topic, None)
                case "snapshot":
                    self.rows[topic] = dict(event.data["rows"])
                case "change" if event.data["value"] is None:
                    self.rows[topic].pop(event.data["key"], None)
                case "change":
                    self.rows[topic][event.data["key"]] = event.data["value"]
            if event.id:
                assert self.number_of(event.id) > self.number_of(self.last_id), "told twice"
                self.last_id = event.id
        del self.arrived[:most]

    async def glimpse(self, taken: int, applied: int) -> None:
        """Listen for a moment: take some events, and lose the connection when only the first of them were worked on."""
        self.connect(free=False)
        await until(lambda: self.connected)
        for _ in range(taken):
            self.take()
        for _ in range(3 * taken):  # so that events that are due can arrive
            await asyncio.sleep(0)
        self.apply(applied)
        await self.drop()

    @staticmethod
    def number_of(event_id: str) -> int:
        return int(event_id.rpartition(":")[2] or -1)

    async def drop(self) -> None:
        """Lose the connection, and all that has arrived but was not worked on."""
        if self.task:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
        self.task = None
        self.connected = False
        self.arrived.clear()
        self._allowed = asyncio.Semaphore(0)

    def names(self) -> list[str]:
        return [event.name for event in self.told]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.001)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario to its end; no task may be left over."""

    async def watched() -> None:
        await scenario()
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(watched())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings may follow one another as fast as the truth says."""
    monkeypatch.setattr(live, "SECONDS_BETWEEN", 0.0)
    monkeypatch.setattr(live, "SECONDS_OF_BACK_OFF", (0.005, 0.01))


@contextlib.asynccontextmanager
async def listening(*clients: Client) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for client in clients:
            await client.drop()


def test_a_snapshot_comes_first_and_then_each_row_that_changes():
    async def scenario() -> None:
        truth = Truth(one={"value": 1}, two={"value": 1})
        client = Client(Hub({"runs": truth.read}), "runs").connect()
        async with listening(client):
            await until(lambda: client.told)
            truth.rows["two"] = {"value": 2}
            await until(lambda: len(client.told) == 2)
            del truth.rows["one"]
            await until(lambda: len(client.told) == 3)
        assert [(event.name, event.data) for event in client.told] == [
            ("snapshot", {"topic": "runs", "rows": {"one": {"value": 1}, "two": {"value": 1}}}),
            ("change", {"topic": "runs", "key": "two", "value": {"value": 2}}),
            ("change", {"topic": "runs", "key": "one", "value": None}),
        ]

    run(scenario)


def test_what_stands_behind_the_colon_is_what_is_read():
    async def scenario() -> None:
        asked = []

        async def read(argument: str) -> Reading:
            asked.append(argument)
            return Reading({}, ended=True)

        async with Hub({"run:": read}).listen(["run:7:x"]) as listener:
            assert [event.name async for event in listener.events()] == ["snapshot", "end"]
        assert asked == ["7:x"]

    run(scenario)


@pytest.mark.parametrize("name", ["", "run", "runs:", "runs:1", "other", "run:missing"])
def test_a_topic_that_is_not_there_is_refused(name: str):
    async def scenario() -> None:
        async def missing(argument: str) -> Reading:
            raise TopicNotFoundError(f"There is no run {argument}.")

        hub = Hub({"runs": Truth().read, "run:": missing})
        with pytest.raises(TopicNotFoundError):
            async with hub.listen(["runs", name]):
                pass
        assert hub.listeners == 0

    run(scenario)


def test_a_run_that_was_not_there_may_be_there_later():
    async def scenario() -> None:
        truth = Truth()
        truth.broken = TopicNotFoundError("There is no run 1.")
        hub = Hub({"run:": truth.read})
        for _ in range(2):
            with pytest.raises(TopicNotFoundError, match=r"There is no run 1\."):
                async with hub.listen(["run:1"]):
                    pass
        truth.broken, truth.ended = None, True
        async with hub.listen(["run:1"]) as listener:
            assert [event.name async for event in listener.events()] == ["snapshot", "end"]

    run(scenario)


def test_a_run_that_is_deleted_while_it_is_watched_ends():
    async def scenario() -> None:
        truth = Truth(run={"value": 1})
        client = Client(Hub({"run:": truth.read}), "run:1").connect()
        async with listening(client):
            await until(lambda: client.told)
            truth.broken = TopicNotFoundError("There is no run 1.")
            await until(lambda: client.task and client.task.done())
        assert client.names() == ["snapshot", "change", "end"]
        assert client.rows == {"run:1": {}}

    run(scenario)


def test_the_end_is_told_after_the_last_change_and_the_events_stop():
    async def scenario() -> None:
        truth = Truth(run={"state": "running"})
        client = Client(Hub({"run:": truth.read}), "run:1").connect()
        async with listening(client):
            await until(lambda: client.told)
            truth.rows, truth.ended = {"run": {"state": "completed"}}, True
            await until(lambda: client.task and client.task.done())
        assert client.names() == ["snapshot", "change", "end"]
        assert client.rows["run:1"] == {"run": {"state": "completed"}}

    run(scenario)


def test_events_of_several_topics_stop_when_all_have_ended_and_one_may_go_on_after_its_end():
    async def scenario() -> None:
        one, two = Truth(run={"value": 1}), Truth(run={"value": 1})
        sources = {"1": one, "2": two}
        hub = Hub({"run:": lambda argument: sources[argument].read(argument)})
        client = Client(hub, "run:1", "run:2").connect()
        async with listening(client):
            one.ended = True
            await until(lambda: "end" in client.names())
            one.ended = False
            one.rows = {"run": {"value": 2}}
            await until(lambda: client.rows["run:1"] == one.rows)
            one.ended = True
            await until(lambda: client.names().count("end") == 2)
            assert client.task
            assert not client.task.done()
            two.ended = True
            await until(client.task.done)
        assert [event.data["topic"] for event in client.told if event.name == "end"] == ["run:1", "run:1", "run:2"]

    run(scenario)


def test_who_comes_back_is_told_what_was_missed_once_and_as_it_is_now():
    async def scenario() -> None:
        truth = Truth(one={"value": 1}, two={"value": 1}, three={"value": 1}, four={"value": 1})
        hub = Hub({"runs": truth.read})
        client = Client(hub, "runs").connect()
        async with listening(client):
            await until(lambda: client.told)
            await client.drop()
            client.told.clear()
            truth.rows["one"] = {"value": 2}
            truth.rows["two"] = {"value": 2}
            del truth.rows["four"]
            async with hub.listen(["runs"]):  # somebody else sees the changes on their way
                await truth.is_read()
                truth.rows["one"] = {"value": 3}
                await truth.is_read()
            client.connect()
            await until(lambda: client.rows["runs"] == truth.rows)
            await truth.is_read()
        assert client.names() == ["change"] * 3
        assert {event.data["key"]: event.data["value"] for event in client.told} == {
            "one": {"value": 3},
            "two": {"value": 2},
            "four": None,
        }

    run(scenario)


def test_who_missed_nothing_is_told_nothing():
    async def scenario() -> None:
        truth = Truth(one={"value": 1})
        hub = Hub({"runs": truth.read})
        client = Client(hub, "runs").connect()
        async with listening(client):
            await until(lambda: client.told)
            await client.drop()
            client.told.clear()
            client.connect()
            await truth.is_read()
            assert client.told == []

    run(scenario)


def test_after_a_restart_of_the_server_who_comes_back_starts_over():
    async def scenario() -> None:
        truth = Truth(one={"value": 1})
        client = Client(Hub({"runs": truth.read}), "runs").connect()
        async with listening(client):
            await until(lambda: client.told)
            await client.drop()
            client.told.clear()
            client.hub = Hub({"runs": truth.read})
            truth.rows = {"two": {"value": 1}}
            client.last_id, before = "", client.last_id
            async with client.hub.listen(["runs"], before) as listener:
                events = listener.events()
                assert [(await anext(events)).name for _ in range(2)] == ["reset", "snapshot"]
                await events.aclose()

    run(scenario)


@pytest.mark.parametrize(
    "last_id", ["{epoch}:999999", "{epoch}:-1", "{epoch}:", "{epoch}", ":", "é:1", "{epoch}:" + 5000 * "9", "0:0\n"]
)
def test_an_id_that_was_never_given_is_no_reason_to_leave_anything_out(last_id: str):
    async def scenario() -> None:
        truth = Truth(one={"value": 1})
        truth.ended = True
        hub = Hub({"runs": truth.read})
        async with hub.listen(["runs"]) as listener:
            [snapshot, _] = [event async for event in listener.events()]
        assert snapshot.id
        made_up = last_id.replace("{epoch}", snapshot.id.split(":")[0])
        async with hub.listen(["runs"], made_up) as listener:
            assert [event.name async for event in listener.events()] == ["reset", "snapshot", "end"]

    run(scenario)


def test_a_topic_that_was_forgotten_starts_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "IDLE_KEPT", 2)

    async def scenario() -> None:
        truths: dict[str, Truth] = {}
        hub = Hub({"run:": lambda argument: truths.setdefault(argument, Truth(run={"value": argument})).read("")})
        first = Client(hub, "run:0").connect()
        async with listening(first):
            await until(lambda: first.told)
            await first.drop()
            for number in (1, 2):
                async with hub.listen([f"run:{number}"]):
                    pass
            first.told.clear()
            first.connect()
            await until(lambda: len(first.told) == 2)
            assert first.names() == ["reset", "snapshot"]

    run(scenario)


def test_who_is_too_slow_for_what_is_remembered_starts_over(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "REMOVED_KEPT", 1)

    async def scenario() -> None:
        truth = Truth(one={}, two={}, three={})
        slow = Client(Hub({"runs": truth.read}), "runs").connect(free=False)
        async with listening(slow):
            slow.take()
            await until(lambda: slow.arrived)
            for key in ("one", "two", "three"):
                del truth.rows[key]
                await truth.is_read()
            slow.go_on()
            await until(lambda: slow.rows == {"runs": {}})
        # The first change was on its way already.
        assert slow.names() == ["snapshot", "change", "reset", "snapshot"]

    run(scenario)


def test_two_hundred_who_listen_cost_as_many_readings_as_one():
    async def scenario() -> None:
        truth = Truth(run={"value": 0})
        truth.again = 3600.0
        hub = Hub({"run:": truth.read})
        clients = [Client(hub, "run:1").connect() for _ in range(200)]
        async with listening(*clients):
            await until(lambda: all(client.told for client in clients))
            for value in range(1, 11):
                truth.rows = {"run": {"value": value}}
                hub.hint("run:1")
                await until(lambda: all(client.rows.get("run:1") == truth.rows for client in clients))
            assert hub.listeners == 200
            assert truth.reads == 11
        assert hub.listeners == 0

    run(scenario)


def test_nobody_listens_nothing_is_read():
    async def scenario() -> None:
        truth = Truth(run={"value": 0})
        hub = Hub({"run:": truth.read})
        async with hub.listen(["run:1"]):
            await truth.is_read()
        reads = truth.reads
        hub.hint("run:1")
        hub.hint("run:2")
        await asyncio.sleep(0.02)
        assert truth.reads == reads

    run(scenario)


def test_a_hint_has_a_topic_read_at_once():
    async def scenario() -> None:
        truth = Truth(run={"value": 0})
        truth.again = 3600.0
        hub = Hub({"run:": truth.read})
        client = Client(hub, "run:1").connect()
        async with listening(client):
            await until(lambda: client.told)
            truth.rows = {"run": {"value": 1}}
            hub.hint("run:1")
            await until(lambda: client.rows["run:1"] == truth.rows)

    run(scenario)


def test_a_burst_of_hints_is_one_reading_or_two(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN", 0.2)

    async def scenario() -> None:
        truth = Truth(run={"value": 0})
        truth.again = 3600.0
        hub = Hub({"run:": truth.read})
        async with hub.listen(["run:1"]):
            begun = asyncio.get_running_loop().time()
            for _ in range(50):
                hub.hint("run:1")
                await asyncio.sleep(0.001)
            await until(lambda: truth.reads > 1)
            took = asyncio.get_running_loop().time() - begun
            assert truth.reads <= 1 + took / 0.2

    run(scenario)


def test_two_thousand_updates_reach_one_who_is_quick_and_one_who_is_slow_and_cost_no_memory():
    async def scenario() -> None:
        truth = Truth(run={"value": 0, "text": "x" * 1000})
        hub = Hub({"run:": truth.read})
        quick = Client(hub, "run:1").connect()
        slow = [Client(hub, "run:1").connect(free=False) for _ in range(200)]
        async with listening(quick, *slow):
            await until(lambda: quick.told and hub.listeners == 201)
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            for value in range(1, 2001):
                truth.rows = {"run": {"value": value, "text": "x" * 1000}, "phase": {"value": value}}
                quick.told.clear()
                reads = truth.reads
                while truth.reads == reads:
                    hub.hint("run:1")
                    await asyncio.sleep(0)
            await until(lambda: quick.rows["run:1"] == truth.rows)
            grown = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            assert grown < 500_000
            for client in slow:
                client.go_on()
            await until(lambda: all(client.rows.get("run:1") == truth.rows for client in slow))
            # The snapshot that they were about to get, and each row once.
            assert {len(client.told) for client in slow} == {3}

    run(scenario)


def test_trouble_is_told_once_and_so_is_its_end():
    async def scenario() -> None:
        truth = Truth(run={"value": 0})
        client = Client(Hub({"run:": truth.read}), "run:1").connect()
        async with listening(client):
            await until(lambda: client.told)
            truth.broken = InputError("The server does not answer.")
            await truth.is_read()
            await truth.is_read()
            late = Client(client.hub, "run:1").connect()
            async with listening(late):
                await until(lambda: len(late.told) == 2)
            truth.broken = None
            truth.rows = {"run": {"value": 1}}
            await until(lambda: client.rows["run:1"] == truth.rows)
        assert client.names() == ["snapshot", "trouble", "trouble", "change"]
        assert client.told[1].data["message"].endswith("The server does not answer.")
        assert client.told[2].data == {"topic": "run:1", "message": ""}
        assert late.names() == ["trouble", "snapshot"]

    run(scenario)


def test_a_topic_in_trouble_from_the_start_holds_up_no_other():
    async def scenario() -> None:
        good, bad = Truth(row={"value": 1}), Truth(row={"value": 2})
        bad.broken = OSError("connection refused by 10.0.0.1")
        client = Client(Hub({"system": good.read, "runs": bad.read}), "system", "runs").connect()
        async with listening(client):
            await until(lambda: "system" in client.rows)
            assert "runs" not in client.rows
            good.rows = {"row": {"value": 3}}
            await until(lambda: client.rows["system"] == good.rows)
            bad.broken = None
            await until(lambda: client.rows.get("runs") == bad.rows)
        assert "10.0.0.1" not in str(client.told)

    run(scenario)


def test_a_source_that_hangs_is_in_trouble(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "SECONDS_TO_READ", 0.01)

    async def scenario() -> None:
        async def hang(argument: str) -> Reading:
            await asyncio.Event().wait()
            raise AssertionError

        client = Client(Hub({"runs": hang}), "runs").connect()
        async with listening(client):
            await until(lambda: client.told)
        assert client.names() == ["trouble"]

    run(scenario)


def test_a_hub_that_is_closed_ends_all_events():
    async def scenario() -> None:
        truth = Truth(run={"value": 0})
        hub = Hub({"run:": truth.read})
        waiting = Client(hub, "run:1").connect()
        await until(lambda: waiting.told)
        hub.close()
        late = Client(hub, "run:1").connect()
        for client in (waiting, late):
            assert client.task
            await asyncio.wait_for(client.task, DEADLINE)
        assert late.told == []
        assert hub.listeners == 0

    run(scenario)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 1), st.sampled_from("abcd"), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.integers(0, 1), st.sampled_from("abcd")),
        st.tuples(st.just("read"), st.integers(0, 1)),
        st.tuples(st.just("glimpse"), st.integers(0, 2), st.integers(0, 4), st.integers(0, 4)),
        st.tuples(st.sampled_from(["connect", "take", "apply", "drop"]), st.integers(0, 2)),
    ),
    max_size=40,
)


PUT = [("put", topic, key, 1) for topic in (0, 1) for key in "ab"]


@settings(max_examples=150)
@given(STEPS, st.integers(0, 2), st.integers(1, 3))
# The connection is lost between two snapshots.
@example([*PUT, ("glimpse", 2, 2, 1)], 2, 3)
# A topic is forgotten, and a row is gone when it is made anew.
@example([*PUT, ("glimpse", 0, 1, 1), ("remove", 0, "a")], 0, 3)
# More rows go than are remembered.
@example(
    [*PUT, ("glimpse", 0, 1, 1), ("connect", 2), *(s for key in "ab" for s in (("remove", 0, key), ("read", 0)))], 2, 1
)
# Rows of two topics changed meanwhile.
@example([*PUT, ("glimpse", 2, 2, 2), ("put", 0, "a", 2), ("put", 1, "a", 2)], 2, 3)
# A row that changed long ago changes again.
@example([*PUT, ("connect", 2), ("glimpse", 0, 1, 1), ("put", 0, "a", 2), ("read", 0)], 2, 1)
def test_whatever_happens_each_who_listens_ends_with_the_rows_as_they_are(steps, idle_kept: int, removed_kept: int):
    async def scenario() -> None:
        truths = [Truth(), Truth()]
        hub = Hub({"run:": lambda argument: truths[int(argument)].read("")})
        clients = [Client(hub, "run:0"), Client(hub, "run:1"), Client(hub, "run:0", "run:1")]
        for step in steps:
            match step:
                case ("put", topic, key, value):
                    truths[topic].rows[key] = {"value": value}
                case ("remove", topic, key):
                    truths[topic].rows.pop(key, None)
                case ("read", topic):
                    if any(clients[number].task for number in (topic, 2)):
                        await truths[topic].is_read()
                case ("glimpse", number, taken, applied):
                    await clients[number].glimpse(taken, applied)
                case ("connect", number):
                    clients[number].connect(free=False)
                    await until(lambda number=number: clients[number].connected)
                case ("take", number):
                    clients[number].take()
                    await asyncio.sleep(0)
                case ("apply", number):
                    clients[number].apply()
                case ("drop", number):
                    await clients[number].drop()
        async with listening(*clients):
            for client in clients:
                client.connect()
                client.go_on()
            for client in clients:
                expected = {
                    f"run:{number}": truths[number].rows for number in (0, 1) if f"run:{number}" in client.topics
                }
                await until(lambda client=client, expected=expected: client.rows == expected)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "IDLE_KEPT", idle_kept)
        patch.setattr(live, "SECONDS_BETWEEN", 0.0)
        patch.setattr(changes, "REMOVED_KEPT", removed_kept)
        run(scenario)


def test_who_listens_to_a_hub_that_was_closed_is_told_nothing_and_let_go():
    async def play() -> None:
        hub = Hub({"runs": Truth(a={}).read})
        hub.close()
        async with asyncio.timeout(DEADLINE), hub.listen(["runs"]) as listener:
            assert [event async for event in listener.events()] == []

    asyncio.run(play())
