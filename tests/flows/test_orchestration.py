import asyncio
import itertools
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import State, Task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Cancelling, Completed, Crashed, Pending, Running, Scheduled

from flows.orchestration import Ended, conclude, load_flow, verdict
from lib.runs import control
from lib.runs.control import RefusedError, StartedByHandError, cancel_run, resume, resume_run, start_run
from lib.runs.plan import Phase
from lib.runs.reader import RunNotFoundError, find_run, read_children, run_status
from lib.runs.report import Item, ItemState, PhaseReport
from lib.runs.status import RunState, RunStatus

SUBJECT = 'it\'s a {film} "🎬" 100%.zip'


@pytest.fixture(scope="module", autouse=True)
def _server(prefect_server: None) -> None:
    """Every test here runs on a real server."""


@pytest.fixture(scope="module")
def toys(toy_folder: str) -> Any:
    import regie_toy

    return regie_toy


def run(toys: Any, **parameters: Any) -> tuple[State[Any], str]:
    orders = toys.Orders(phases=parameters.pop("orders", {}))
    state = toys.toy(SUBJECT, orders=orders, inline=True, return_state=True, **parameters)
    return state, str(state.state_details.flow_run_id)


def status_of(toys: Any, run_id: str) -> RunStatus:
    return run_status(run_id, {"toy": toys.TOY, "wide": toys.WIDE})


def states(status: RunStatus) -> dict[str, str]:
    return {phase.key: phase.state.value for phase in status.phases}


def children_of(run_id: str) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        parent = FlowRunFilterParentFlowRunId(any_=[UUID(run_id)])
        return client.read_flow_runs(flow_run_filter=FlowRunFilter(parent_flow_run_id=parent))


@pytest.fixture(scope="module")
def completed(toys: Any) -> str:
    """A run whose every phase completed, two of them at the same time: each waits for the other to have begun."""
    state, run_id = run(toys, orders={"left": "meet", "right": "meet"})
    assert state.is_completed()
    assert state.message == "5 phases completed"
    return run_id


@pytest.fixture(scope="module")
def widest(toys: Any) -> str:
    """A run of twelve phases."""
    state = toys.wide(return_state=True)
    assert state.is_completed()
    return str(state.state_details.flow_run_id)


def test_every_phase_is_a_child_named_and_tagged(toys: Any, completed: str) -> None:
    children = {child.name: child for child in children_of(completed)}
    assert sorted(children) == [f"{phase.number} {phase.name} · {SUBJECT}" for phase in toys.TOY.phases]
    for phase in toys.TOY.phases:
        child = children[f"{phase.number} {phase.name} · {SUBJECT}"]
        assert set(child.tags) == {"toy", phase.key, f"run:{completed}", "attempt:1"}
        assert child.state is not None
        assert child.state.is_completed()
        assert child.state.message == "2 done"
    assert len({child.parent_task_run_id for child in children.values()}) == 5


def test_phases_start_after_those_they_come_after(toys: Any, completed: str) -> None:
    phases = {phase.key: phase for phase in status_of(toys, completed).phases}
    for phase in toys.TOY.phases:
        for earlier in phase.after:
            assert phases[earlier].ended <= phases[phase.key].started


def test_the_status_of_a_completed_run(toys: Any, completed: str) -> None:
    status = status_of(toys, completed)
    assert (status.workflow, status.subject, status.state, status.progress) == ("toy", SUBJECT, RunState.COMPLETED, 100)
    assert status.counts == {RunState.COMPLETED: 5}
    assert status.started is not None
    assert status.ended is not None
    for phase in status.phases:
        assert (phase.done, phase.total, phase.failed, phase.engine) == (
            2,
            2,
            0,
            f"clockwork in {Path(sys.prefix).name}",
        )
        assert phase.duration is not None
        assert phase.attempt == 1
        assert phase.error == phase.item == ""
    assert {phase.run_id for phase in status.phases} == {str(child.id) for child in children_of(completed)}


FAILURES = [
    ({"start": "raise"}, "failed", {"left", "right", "join", "last"}),
    ({"left": "raise"}, "partial", {"join"}),
    ({"right": "fail", "left": "partial"}, "partial", set()),
]


@pytest.mark.parametrize(("orders", "expected", "skipped"), FAILURES, ids=str)
def test_a_phase_that_fails_stops_those_that_need_it_and_only_those(
    toys: Any, orders: dict[str, str], expected: str, skipped: set[str]
) -> None:
    state, run_id = run(toys, orders=orders)
    assert state.type is StateType.FAILED
    assert state.name == ("Partial" if expected == "partial" else "Failed")
    partial = [
        child.state for child in children_of(run_id) if orders.get(str(child.name).split()[1].lower()) == "partial"
    ]
    for each in partial:
        assert each is not None
        assert (each.type, each.name, each.message) == (
            StateType.FAILED, "Partial", "1 done, 1 failed (two: it is too old)",
        )  # fmt: skip
    status = status_of(toys, run_id)
    assert status.state.value == expected
    ended = {"partial": "partial", "fail": "failed", "raise": "failed"}
    wanted = {
        phase.key: "skipped" if phase.key in skipped else ended.get(orders.get(phase.key, ""), "completed")
        for phase in toys.TOY.phases
    }
    assert states(status) == wanted
    assert status.progress < 100
    for phase in status.phases:
        if phase.state is RunState.SKIPPED:
            assert phase.error.startswith("needs ")
            assert phase.run_id is None
        elif phase.key in orders:
            assert ("The toy is broken. Mend it." if orders[phase.key] == "raise" else "it is too old") in phase.error
            assert phase.error in status.message, "the run says what was wrong"


@pytest.mark.parametrize(
    ("selection", "keys"),
    [
        ({"only": [2, 3]}, "left right"),
        ({"first": 4}, "join last"),
        ({"last": 1}, "start"),
    ],
)
def test_only_the_phases_that_were_asked_for_are_run(toys: Any, selection: dict[str, Any], keys: str) -> None:
    state, run_id = run(toys, **selection)
    assert state.is_completed()
    status = status_of(toys, run_id)
    assert [phase.key for phase in status.phases if phase.state is RunState.COMPLETED] == keys.split()
    others = [phase for phase in status.phases if phase.state is not RunState.COMPLETED]
    assert {phase.state for phase in others} == {RunState.SKIPPED}
    assert {phase.error for phase in others} == {"not asked for"}
    assert status.progress == 100
    assert len(children_of(run_id)) == len(keys.split())


def test_many_phases_are_all_found(toys: Any, widest: str) -> None:
    status = status_of(toys, widest)
    assert status.counts == {RunState.COMPLETED: toys.WIDTH}
    assert status.subject, "a run without a source goes by its own name"


def test_a_run_that_is_not_there_is_not_found(toys: Any, completed: str) -> None:
    for unknown in (str(uuid4()), "", "nonsense", "../flow_runs"):
        with pytest.raises(RunNotFoundError, match="There is no run"):
            status_of(toys, unknown)
    with pytest.raises(RunNotFoundError):
        run_status(completed, {"wide": toys.WIDE})
    with pytest.raises(RunNotFoundError):
        status_of(toys, str(children_of(completed)[0].id))


def test_a_phase_in_an_environment_that_has_no_deployment_fails_by_itself(toys: Any) -> None:
    state = toys.toy(SUBJECT, return_state=True)
    assert (state.type, state.name) == (StateType.FAILED, "Partial")
    status = status_of(toys, str(state.state_details.flow_run_id))
    assert states(status)["join"] == "completed"
    assert status.state is RunState.PARTIAL
    assert "Last failed" in status.message


def test_a_run_and_its_children_are_asked_to_stop(toys: Any, completed: str) -> None:
    """The runs here stand in the middle of their work: only the server sees the request."""
    with get_client(sync_client=True) as client:
        parent = client.create_flow_run(toys.toy, parameters={"source": SUBJECT}, state=Running())
        link = client.create_task_run(task=Task(lambda: None, name="link"), flow_run_id=parent.id, dynamic_key="0")
        begun = (Running(), Pending(), Scheduled(), Completed())
        for state in begun * 15:
            client.create_flow_run(toys.start, parameters={}, parent_task_run_id=link.id, state=state)
        assert cancel_run(str(parent.id)) is True
        states = Counter(child.state.type for child in read_children(client, parent.id) if child.state)
        assert states == {StateType.CANCELLING: 30, StateType.CANCELLED: 15, StateType.COMPLETED: 15}
        asked = client.read_flow_run(parent.id).state
        assert asked is not None
        assert (asked.type, asked.name) == (StateType.CANCELLING, "Stopping")


def test_a_run_that_has_ended_is_not_stopped(completed: str) -> None:
    assert cancel_run(completed) is False


def test_phases_that_outlived_their_run_are_asked_to_stop(toys: Any) -> None:
    with get_client(sync_client=True) as client:
        parent = client.create_flow_run(toys.toy, parameters={"source": SUBJECT}, state=Running())
        link = client.create_task_run(task=Task(lambda: None, name="link"), flow_run_id=parent.id, dynamic_key="0")
        client.create_flow_run(toys.start, parameters={}, parent_task_run_id=link.id, state=Running())
        client.set_flow_run_state(parent.id, Crashed())
        assert cancel_run(str(parent.id)) is True
        [child] = read_children(client, parent.id)
        assert child.state is not None
        assert child.state.type is StateType.CANCELLING
        assert status_of(toys, str(parent.id)).state is RunState.CRASHED
        assert cancel_run(str(parent.id)) is False, "it was asked already"


@pytest.mark.parametrize("unknown", ["nonsense", "", str(UUID(int=7))])
def test_what_is_no_run_is_neither_stopped_nor_resumed(unknown: str, toys: Any) -> None:
    with pytest.raises(RunNotFoundError):
        cancel_run(unknown)
    with pytest.raises(RunNotFoundError):
        resume_run(unknown, {"toy": toys.TOY})


def test_a_phase_of_a_run_is_neither_stopped_nor_resumed_by_itself(toys: Any, completed: str) -> None:
    child = str(children_of(completed)[0].id)
    with pytest.raises(RunNotFoundError):
        cancel_run(child)
    with pytest.raises(RunNotFoundError):
        resume_run(child, {"toy": toys.TOY})


def test_a_completed_run_is_not_resumed(toys: Any, completed: str) -> None:
    with pytest.raises(RefusedError, match="nothing to resume"):
        resume_run(completed, {"toy": toys.TOY})


@pytest.mark.parametrize(("state", "words"), [(Running(), "still going on"), (Cancelling(), "still stopping")], ids=str)
def test_a_run_that_goes_on_is_not_resumed(toys: Any, state: State[Any], words: str) -> None:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(toys.toy, parameters={"source": SUBJECT}, state=state)
    with pytest.raises(RefusedError, match=words):
        resume_run(str(run.id), {"toy": toys.TOY})


def test_a_run_without_a_deployment_is_resumed_by_a_process_of_its_own(toys: Any) -> None:
    _state, run_id = run(toys, orders={"start": "raise"})
    with pytest.raises(StartedByHandError, match=f"regie resume {run_id}"):
        resume_run(run_id, {"toy": toys.TOY})


def test_who_resumes_a_run_that_somebody_else_resumed_a_moment_ago_is_refused(
    toys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resume_late() -> None:
        async with get_client() as client:
            flow_id = await client.create_flow_from_name("toy")
            deployment = await client.create_deployment(flow_id=flow_id, name="resumed")
            run_id = str((await client.create_flow_run_from_deployment(deployment, state=Crashed())).id)
            seen = await find_run(client, run_id, {"toy": toys.TOY})
            await resume(client, run_id, {"toy": toys.TOY})
            monkeypatch.setattr(control, "find_run", lambda *_: asyncio.sleep(0, seen))
            await resume(client, run_id, {"toy": toys.TOY})

    with pytest.raises(RefusedError, match="somebody else"):
        asyncio.run(resume_late())


def test_a_workflow_that_is_not_deployed_is_not_started(toys: Any) -> None:
    with pytest.raises(RefusedError, match="not deployed"):
        start_run(toys.TOY, {"source": SUBJECT})


PHASES = [Phase(n, f"p{n}", f"Phase {n}", "m:f", "base") for n in (1, 2)]


WORDS = ("completed", "partial", "failed")


@pytest.mark.parametrize("ends", [(), *itertools.product(WORDS), *itertools.product(WORDS, WORDS)], ids=str)
def test_the_verdict_on_a_run(ends: tuple[str, ...]) -> None:
    ended = [Ended(phase, verdict, f"words of {phase.key}") for phase, verdict in zip(PHASES, ends, strict=False)]
    state = verdict(PHASES, ended)
    if ends == ("completed", "completed"):
        assert state.is_completed()
        return
    assert state.type is StateType.FAILED
    assert state.name == ("Partial" if {"completed", "partial"} & set(ends) else "Failed")
    for end in ended:
        assert (end.message in (state.message or "")) is (end.verdict != "completed")


def test_the_end_of_a_phase_follows_its_report() -> None:
    good, bad = Item(subject="a", state=ItemState.DONE), Item(subject="b", state=ItemState.FAILED, reason="empty")
    ends = [
        (conclude(PhaseReport(phase="p", items=items)).type, conclude(PhaseReport(phase="p", items=items)).name)
        for items in ((), (good,), (good, bad), (bad,))
    ]
    assert ends == [
        (StateType.COMPLETED, "Completed"),
        (StateType.COMPLETED, "Completed"),
        (StateType.FAILED, "Partial"),
        (StateType.FAILED, "Failed"),
    ]


def test_what_is_no_flow_is_not_loaded() -> None:
    with pytest.raises(TypeError, match="is not a flow"):
        load_flow("lib.workflows:OWN")
    with pytest.raises(ModuleNotFoundError):
        load_flow("lib.nothing:here")
    with pytest.raises(AttributeError):
        load_flow("lib.workflows:nothing")
