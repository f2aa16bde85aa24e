import asyncio
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from types import ModuleType
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Cancelled, Cancelling, Completed, Crashed, Failed, Paused, Pending, Running, Scheduled, State

from lib.runs.listing import RunList, read_runs
from lib.runs.plan import Phase, Workflow
from lib.runs.reader import run_status
from lib.runs.server import connected
from lib.runs.status import PARTIAL, RunState

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

STATES: dict[str, tuple[Callable[[], State[Any]], RunState]] = {
    "planned.zip": (Pending, RunState.PENDING),
    "waiting.zip": (Scheduled, RunState.PENDING),
    "working.zip": (Running, RunState.RUNNING),
    "stopping.zip": (Cancelling, RunState.RUNNING),
    "held.zip": (Paused, RunState.PAUSED),
    "good.zip": (Completed, RunState.COMPLETED),
    "half.zip": (partial(Failed, name=PARTIAL, message="1 of 2"), RunState.PARTIAL),
    "bad.zip": (partial(Failed, message="it broke"), RunState.FAILED),
    "dead.zip": (Crashed, RunState.CRASHED),
    "left.zip": (Cancelled, RunState.CANCELLED),
}
"""By subject: the state that Prefect is told, and the one that is shown."""

Ask = Callable[..., RunList]


def listed(key: str) -> Workflow:
    return Workflow(key, key.capitalize(), "m:f", (Phase(1, "p", "P", "m:f", "base"),))


@pytest.fixture(scope="module")
def workflow(prefect_server: None) -> Workflow:
    """A workflow with a run in each state, made in the order of STATES."""

    @flow(name="listed")
    def listed_flow(source: str) -> None:
        """Never run."""

    with get_client(sync_client=True) as client:
        for subject, (make, _) in STATES.items():
            client.create_flow_run(
                listed_flow, parameters={"source": f"/in/{subject}"}, name=f"listed · {subject}", state=make()
            )
    return listed("listed")


@pytest.fixture(scope="module")
def ask(workflow: Workflow) -> Iterator[Ask]:
    with connected() as connection:
        yield lambda **options: connection(read_runs, {workflow.key: workflow}, **options)


def subjects(runs: RunList) -> list[str]:
    return [run.subject for run in runs.items]


def test_runs_come_newest_first_in_their_states(ask: Ask) -> None:
    runs = ask()
    assert runs.total == len(STATES)
    assert subjects(runs) == list(STATES)[::-1]
    for run in runs.items:
        assert run.state is STATES[run.subject][1]
        assert run.stopping is (run.subject == "stopping.zip")
        assert run.workflow == "listed"
        assert run.message == (STATES[run.subject][0]().message or "")
        assert (run.progress is None) is (run.state.final and run.state is not RunState.COMPLETED)
        assert (run.ended is None) is not run.state.final


def test_runs_are_found_by_any_states(ask: Ask) -> None:
    """Partial is told apart from failed by its name alone: every pair, and all but each."""
    wanted: list[Collection[RunState]] = [{state} for state in RunState]
    wanted += [set(pair) for pair in combinations(RunState, 2)]
    wanted += [set(RunState) - {state} for state in RunState]
    for states in wanted:
        runs = ask(states=states)
        expected = [subject for subject, (_, state) in STATES.items() if state in states][::-1]
        assert subjects(runs) == expected, states
        assert runs.total == len(expected)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("dead", ["dead.zip"]),
        ("DEAD.ZIP", ["dead.zip"]),
        ("ed.zip", ["planned.zip"]),
        ("d.zip", ["dead.zip", "bad.zip", "good.zip", "held.zip", "planned.zip"]),
        ("nothing", []),
        ("'; drop table flow_run; --", []),
        ("bad\\zip", ["bad.zip"]),
        ("\\", [*list(STATES)[::-1]]),
    ],
)
def test_runs_are_found_by_a_part_of_their_subject(ask: Ask, part: str, found: list[str]) -> None:
    runs = ask(subject=part)
    assert (subjects(runs), runs.total) == (found, len(found))


def test_runs_are_found_by_date(ask: Ask) -> None:
    middle = ask().items[4]
    later, earlier = ask(since=middle.created), ask(until=middle.created)
    assert later.total + earlier.total == len(STATES)
    assert {*subjects(later)}.isdisjoint(subjects(earlier))
    assert ask(since=datetime.now(UTC)).items == []
    assert ask(since=datetime.now(UTC) - timedelta(hours=1), until=datetime.now(UTC)).total == len(STATES)


def test_pages_hold_every_run_once(ask: Ask) -> None:
    pages = [ask(limit=3, offset=offset) for offset in range(0, len(STATES), 3)]
    assert [subject for page in pages for subject in subjects(page)] == list(STATES)[::-1]
    assert {page.total for page in pages} == {len(STATES)}
    assert ask(offset=10_000).items == []
    assert ask(limit=0).items == []
    assert ask(limit=10**9, offset=-5).total == len(STATES)


def test_runs_of_what_is_not_known_are_not_listed(ask: Ask, workflow: Workflow) -> None:
    assert ask(workflow="listed").total == len(STATES)
    assert ask(workflow="nonsense") == RunList(items=[], total=0)
    with connected() as connection:
        assert connection(read_runs, {}) == RunList(items=[], total=0)
        assert connection(read_runs, {"other": listed(f"other-{uuid4()}")}).total == 0


def test_many_runs_at_work_cost_no_more_calls_than_few_and_are_told_as_each_by_itself(filling: ModuleType) -> None:
    one, other = filling.workflow_of(4, "many"), filling.workflow_of(3, "more")
    for each in (one, other):
        filling.fill(filling.database, each, completed=2)
    known = {one.key: one, other.key: other}
    costs = set()
    for working in (1, 9):
        for each in (one, other):
            filling.fill(filling.database, each, working=working)
        calls: list[str] = []

        async def note(request: httpx.Request, calls: list[str] = calls) -> None:
            calls.append(request.url.path)

        async def main(calls: list[str] = calls, note: Any = note) -> RunList:
            async with get_client(httpx_settings={"event_hooks": {"request": [note]}}) as client:
                await client.api_healthcheck()
                await read_runs(client, known)  # reads the past, and the names of flows
                calls.clear()
                return await read_runs(client, known)

        runs = asyncio.run(main())
        costs.add(len(calls))
    assert costs == {5}
    working_ones = [run for run in runs.items if run.state is RunState.RUNNING]
    assert len(working_ones) == 20
    for run in working_ones[::5]:
        status = run_status(run.run_id, known)
        assert run.progress == status.progress
        assert run.estimated_end is not None
        assert status.estimated_end is not None
        assert abs(run.estimated_end - status.estimated_end) < timedelta(seconds=20)
