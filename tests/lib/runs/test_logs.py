import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import Task, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import LogCreate
from prefect.states import Running

from lib.errors import InputError
from lib.runs import logs
from lib.runs.logs import LATE, LogLine, LogPage, read_logs, stream_logs
from lib.runs.plan import Phase, Workflow
from lib.runs.reader import RunNotFoundError
from lib.runs.server import Connection, PrefectClient, connected

WORKFLOW = Workflow(
    "logged", "Logged", "m:f", (Phase(1, "one", "One", "m:f", "base"), Phase(2, "two", "Two", "m:f", "base"))
)
KNOWN = {"logged": WORKFLOW}
LONG_AGO = datetime.now(UTC) - timedelta(days=1)


class Run:
    """A run with two phases, one of which ran twice, whose lines the test writes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        flows = [flow(name=name)(lambda: None) for name in ("logged", "logged-one", "logged-two")]
        with get_client(sync_client=True) as client:
            root = client.create_flow_run(flows[0], name="root", state=Running())
            link = client.create_task_run(Task(lambda: None, name="l"), flow_run_id=root.id, dynamic_key="0")
            children = [
                client.create_flow_run(flows[n], parent_task_run_id=link.id, state=Running()).id for n in (1, 1, 2)
            ]
        self.id = str(root.id)
        self.sources: list[UUID] = [root.id, *children]
        self.phases = ["", "one", "one", "two"]

    def write(self, *lines: tuple[int, datetime, str] | tuple[int, datetime, str, int]) -> None:
        """Write lines: of which source, when, what, and how grave."""
        made = [
            LogCreate(name="toy", level=grave[0] if grave else 20, message=message, timestamp=when, flow_run_id=run)
            for source, when, message, *grave in lines
            for run in [self.sources[source]]
        ]

        async def create(client: PrefectClient) -> None:
            for start in range(0, len(made), 200):
                await client.create_logs(made[start : start + 200])

        self.connection(create)

    def read(self, **options: Any) -> LogPage:
        return self.connection(read_logs, self.id, KNOWN, **options)

    def follow(self, after: str = "", **options: Any) -> tuple[list[LogLine], str]:
        """Read on, page after page, to the present end."""
        lines: list[LogLine] = []
        while True:
            page = self.read(after=after, **options)
            lines += page.lines
            after = page.next
            if not page.more:
                return lines, after

    def text(self, **options: Any) -> str:
        async def gather(client: PrefectClient) -> str:
            return "".join([piece async for piece in stream_logs(client, self.id, KNOWN, **options)])

        return self.connection(gather)


@pytest.fixture(scope="module")
def connection(prefect_server: None) -> Iterator[Connection]:
    with connected() as opened:
        yield opened


@pytest.fixture
def run(connection: Connection) -> Run:
    return Run(connection)


def messages(lines: Sequence[LogLine]) -> list[str]:
    return [line.message for line in lines]


def spread(count: int, *, start: datetime = LONG_AGO, alike: int = 1) -> list[tuple[int, datetime, str]]:
    """Lines of all sources, `alike` of them at the same microsecond."""
    return [(n % 4, start + timedelta(microseconds=n // alike), f"line {n}") for n in range(count)]


def test_the_lines_of_a_run_and_its_children_come_in_order_with_their_phases(run: Run) -> None:
    lines = spread(60)
    shuffled = lines[:]
    random.Random(1).shuffle(shuffled)
    run.write(*shuffled)
    page = run.read()
    assert messages(page.lines) == [message for _, _, message in lines]
    assert [line.phase for line in page.lines] == [run.phases[source] for source, _, _ in lines]
    assert [line.time for line in page.lines] == [when for _, when, _ in lines]
    assert {line.level for line in page.lines} == {"info"}
    assert not page.more
    assert run.read(after=page.next) == LogPage(lines=[], next=page.next, more=False)


@pytest.mark.parametrize(
    ("count", "limit", "alike"),
    [(20, 1, 1), (60, 7, 5), (450, 200, 1), (450, 199, 30), (450, 200, 250), (450, 100, 450)],
)
def test_pages_hold_every_line_once_though_many_share_a_moment(run: Run, count: int, limit: int, alike: int) -> None:
    run.write(*spread(count, alike=alike))
    lines, _ = run.follow(limit=limit)
    assert len(lines) == count
    assert {*messages(lines)} == {f"line {n}" for n in range(count)}
    assert [line.time for line in lines] == sorted(line.time for line in lines)


def test_who_follows_gets_every_line_once_though_they_come_out_of_order(run: Run) -> None:
    now = datetime.now(UTC) + timedelta(
        minutes=1
    )  # lines of a clock that is ahead: the test may be as slow as it likes
    draw = random.Random(2)
    lines = [
        (source, now - timedelta(seconds=draw.uniform(0, LATE.total_seconds())), f"line {n}")
        for n, source in enumerate(itertools.islice(itertools.cycle(range(4)), 240))
    ]
    got: list[LogLine] = []
    after = ""
    while lines:
        part = [lines.pop() for _ in range(min(len(lines), draw.randrange(1, 60)))]
        run.write(*part)
        new, after = run.follow(after, limit=draw.randrange(5, 80))
        got += new
    assert sorted(messages(got)) == sorted(f"line {n}" for n in range(240))


def test_a_flood_of_lines_costs_a_cursor_of_bounded_length(run: Run) -> None:
    now = datetime.now(UTC)
    run.write(*[(0, now - timedelta(milliseconds=1500 - n), f"line {n}") for n in range(1500)])
    lines, after = run.follow()
    assert len({line.id for line in lines}) == 1500
    assert len(after) < 4_000
    run.write((1, now, "one more"))
    assert messages(run.follow(after)[0]) == ["one more"]


def test_lines_are_chosen_by_phase_and_by_how_grave_they_are(run: Run) -> None:
    run.write(
        (0, LONG_AGO, "root", 20), (1, LONG_AGO, "first try", 40), (2, LONG_AGO, "second try", 30),
        (3, LONG_AGO, "other", 10), (3, LONG_AGO, "strange", 35), (3, LONG_AGO, "end", 50),
    )  # fmt: skip

    def found(**options: Any) -> set[str]:
        return {*messages(run.read(**options).lines)}

    assert found(level="debug") == {"root", "first try", "second try", "other", "strange", "end"}
    assert found() == {"root", "first try", "second try", "strange", "end"}
    assert found(level="WARNING") == {"first try", "second try", "strange", "end"}
    assert found(level="critical") == {"end"}
    assert found(phases=["one"]) == {"first try", "second try"}
    assert found(phases=[""]) == {"root"}
    assert found(phases=["", "two"], level="debug") == {"root", "other", "strange", "end"}
    with pytest.raises(InputError, match=r"no level 'loud'.*debug, info"):
        run.read(level="loud")
    with pytest.raises(InputError, match=r"no phase 'three'.*one, two"):
        run.read(phases=["three"])


def test_a_phase_that_has_not_begun_has_no_lines_yet(connection: Connection) -> None:
    with get_client(sync_client=True) as client:
        root = client.create_flow_run(flow(name="logged")(lambda: None), name="alone", state=Running())
    page = connection(read_logs, str(root.id), KNOWN, phases=["two"])
    assert page == LogPage(lines=[], next="", more=False)


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "=====", "' or 1=1", "/////////////", "A" * 9, "%00", "\n"])
def test_a_cursor_that_was_not_given_out_is_refused(run: Run, cursor: str) -> None:
    with pytest.raises(InputError, match="none that was given out"):
        run.read(after=cursor)


def test_a_run_that_is_not_known_has_no_logs(connection: Connection, run: Run) -> None:
    for wrong, workflows in ((str(uuid4()), KNOWN), ("nonsense", KNOWN), (run.id, {})):
        with pytest.raises(RunNotFoundError):
            connection(read_logs, wrong, workflows)


def test_the_whole_log_is_streamed_as_text_that_steers_no_terminal(run: Run) -> None:
    run.write(*spread(410))
    run.write((1, LONG_AGO + timedelta(hours=1), "\x1b[2J\x07 wiped\r\n\ttwo lines\x9b31m", 40))
    text = run.text()
    assert text.count("\n") == 412
    assert text.splitlines()[0].endswith("INFO     -          line 0")
    assert "ERROR    one        \ufffd[2J\ufffd wiped\ufffd\n\ttwo lines\ufffd31m\n" in text
    assert not {"\x1b", "\x07", "\x9b", "\r"} & {*text}
    assert run.text(phases=["two"], level="error") == ""


def test_a_cursor_goes_into_an_address_as_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PAGE", 5)
    run.write(*spread(12, start=datetime.now(UTC) - timedelta(seconds=2)))
    after: Callable[[str], str] = lambda cursor: run.read(after=cursor).next  # noqa: E731
    cursor = after(after(""))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert len(run.follow(cursor)[0]) == 2
