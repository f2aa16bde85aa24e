"""Which runs are dead, by what is known of their processes."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect import Task, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Completed, Crashed, Running, Scheduled
from regie_toy_holder import until

from deployments import watch
from deployments.watch import CLOCKS, LONG, MOST_ATTEMPTS, PATIENCE, Watch, is_alive, judge
from lib.errors import UnavailableError
from lib.runs.process import TOLD, host_of, pid_here, place_of, place_of_container, which_here

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD = PATIENCE + timedelta(seconds=1)
HERE, ELSEWHERE = place_of(41), "another-machine:41"
FINAL = (StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED)
WORKER = "prefect.worker.name"


def a_run(
    kind: StateType, age: timedelta = OLD, place: str | None = None, *, deployed: bool = True, worker: str | None = None
) -> FlowRun:
    return FlowRun(
        flow_id=uuid4(),
        state=State(type=kind, timestamp=NOW - age),
        infrastructure_pid=place,
        deployment_id=uuid4() if deployed else None,
        labels={WORKER: worker} if worker else {},
    )


def gone(_pid: int, _since: datetime) -> bool:
    return False


def living(_pid: int, _since: datetime) -> bool:
    return True


def verdict(run: FlowRun, root: FlowRun | None = None, alive: Any = gone) -> StateType | None:
    state = judge(run, root, NOW, alive)
    assert state is None or state.is_scheduled() or len(str(state.message).split()) > 3, "it says why"
    return state.type if state else None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(StateType.RUNNING, StateType.CRASHED), (StateType.CANCELLING, StateType.CANCELLED)],
)
@pytest.mark.parametrize("deployed", [True, False])
def test_a_run_whose_process_is_gone_has_ended(kind: StateType, expected: StateType, deployed: bool) -> None:
    assert verdict(a_run(kind, place=HERE, deployed=deployed)) is expected
    assert verdict(a_run(kind, place=HERE, deployed=deployed), alive=living) is None


KINDS = st.sampled_from(list(StateType))
AGES = st.timedeltas(timedelta(), timedelta(days=400))
PLACES = st.sampled_from([None, HERE, ELSEWHERE, "41", "container:0123456789ab", f"{HERE}x"])


@st.composite
def runs(draw: st.DrawFn, kinds: st.SearchStrategy[StateType] = KINDS) -> FlowRun:
    return a_run(
        draw(kinds),
        draw(AGES),
        draw(PLACES),
        deployed=draw(st.booleans()),
        worker=draw(st.sampled_from([None, HERE, ELSEWHERE])),
    )


@given(run=runs(), root=st.none() | runs())
def test_what_has_ended_stays_as_it_is(run: FlowRun, root: FlowRun | None) -> None:
    if run.state is not None and run.state.is_final():
        assert verdict(run, root) is None


@given(run=runs(st.sampled_from([StateType.RUNNING, StateType.CANCELLING])), root=st.none() | runs())
def test_a_run_whose_process_lives_is_never_ended(run: FlowRun, root: FlowRun | None) -> None:
    if pid_here(run.infrastructure_pid) is not None:
        assert verdict(run, root, living) is None


@given(run=runs(st.just(StateType.RUNNING)))
def test_a_run_of_another_machine_is_never_ended(run: FlowRun) -> None:
    if pid_here(run.infrastructure_pid) is None:
        assert verdict(run) is None


@given(run=runs(), root=st.none() | runs())
def test_a_state_of_a_moment_ago_is_left_alone(run: FlowRun, root: FlowRun | None) -> None:
    if run.state is not None and NOW - run.state.timestamp < PATIENCE:
        assert verdict(run, root) is None


@given(run=runs(), root=st.none() | runs())
def test_nothing_is_ever_called_completed_or_begun(run: FlowRun, root: FlowRun | None) -> None:
    assert verdict(run, root) in {None, StateType.CRASHED, StateType.CANCELLED, StateType.SCHEDULED}


@pytest.mark.parametrize("kind", [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
@pytest.mark.parametrize("end", FINAL)
def test_a_phase_in_the_process_of_its_run_ends_with_it(kind: StateType, end: StateType) -> None:
    stopped = StateType.CANCELLED in {end} or kind is StateType.CANCELLING
    expected = StateType.CANCELLED if stopped else StateType.CRASHED
    assert verdict(a_run(kind, deployed=False), a_run(end)) is expected


def test_a_phase_in_the_process_of_an_earlier_attempt_ended_with_that() -> None:
    phase = a_run(StateType.RUNNING, timedelta(hours=1), deployed=False)
    assert verdict(phase, a_run(StateType.RUNNING, timedelta(minutes=1), HERE), living) is StateType.CRASHED
    assert verdict(phase, a_run(StateType.RUNNING, timedelta(hours=2), HERE), living) is None


def test_a_run_that_a_worker_took_and_never_began_waits_for_another() -> None:
    lost = a_run(StateType.PENDING, worker=HERE)
    assert verdict(lost) is StateType.SCHEDULED
    assert verdict(lost, a_run(StateType.RUNNING, place=HERE)) is StateType.SCHEDULED
    assert verdict(lost, alive=living) is None
    assert verdict(a_run(StateType.PENDING, worker=ELSEWHERE)) is None
    assert verdict(a_run(StateType.PENDING, LONG / 2)) is None, "the worker has not said its name yet"
    assert verdict(a_run(StateType.PENDING, LONG * 2)) is StateType.SCHEDULED


@pytest.mark.parametrize("end", FINAL)
def test_a_phase_that_nobody_began_is_not_begun_after_the_end_of_its_run(end: StateType) -> None:
    expected = StateType.CANCELLED if end is StateType.CANCELLED else StateType.CRASHED
    assert verdict(a_run(StateType.SCHEDULED), a_run(end)) is expected
    assert verdict(a_run(StateType.PENDING, worker=HERE), a_run(end)) is expected
    assert verdict(a_run(StateType.PENDING, worker=HERE), a_run(end), living) is None


def test_a_run_that_waits_for_its_time_is_left_alone() -> None:
    assert verdict(a_run(StateType.SCHEDULED, timedelta(days=3))) is None
    assert verdict(a_run(StateType.SCHEDULED, timedelta(days=3)), a_run(StateType.RUNNING, place=HERE)) is None


def test_a_run_that_was_stopped_and_whose_worker_is_gone_has_ended() -> None:
    assert verdict(a_run(StateType.CANCELLING, worker=HERE)) is StateType.CANCELLED
    assert verdict(a_run(StateType.CANCELLING, worker=HERE), alive=living) is None


def with_its_machine(run: FlowRun, root: FlowRun | None = None, alive: Any = living) -> StateType | None:
    """What becomes of a run when the other machine is lost."""
    state = judge(run, root, NOW, alive, lambda host: host == host_of(ELSEWHERE))
    return state.type if state else None


@pytest.mark.parametrize(
    "root", [None, a_run(StateType.RUNNING, place=HERE), a_run(StateType.RUNNING, place=ELSEWHERE)]
)
def test_what_was_lost_with_its_machine_is_begun_again(root: FlowRun | None) -> None:
    assert with_its_machine(a_run(StateType.RUNNING, place=ELSEWHERE), root) is StateType.SCHEDULED
    assert with_its_machine(a_run(StateType.PENDING, worker=ELSEWHERE), root) is StateType.SCHEDULED
    assert with_its_machine(a_run(StateType.RUNNING, place=HERE), root) is None
    assert with_its_machine(a_run(StateType.RUNNING, place="a-third-machine:41"), root) is None


def test_what_was_lost_with_its_machine_is_not_begun_again_when_nobody_can_or_should() -> None:
    assert with_its_machine(a_run(StateType.CANCELLING, place=ELSEWHERE)) is StateType.CANCELLED
    assert with_its_machine(a_run(StateType.RUNNING, place=ELSEWHERE, deployed=False)) is StateType.CRASHED
    lost = a_run(StateType.RUNNING, place=ELSEWHERE)
    assert with_its_machine(lost, a_run(StateType.CANCELLED)) is StateType.CANCELLED
    assert with_its_machine(lost, a_run(StateType.FAILED)) is StateType.CRASHED
    often = lost.model_copy(update={"run_count": MOST_ATTEMPTS})
    assert with_its_machine(often) is StateType.CRASHED


def test_a_phase_in_the_process_of_a_run_that_was_lost_with_its_machine_ends() -> None:
    root = a_run(StateType.RUNNING, place=ELSEWHERE)
    assert with_its_machine(a_run(StateType.RUNNING, deployed=False), root) is StateType.CRASHED
    assert with_its_machine(a_run(StateType.RUNNING, deployed=False), a_run(StateType.RUNNING, place=HERE)) is None


def test_a_machine_that_was_lost_itself_has_what_is_gone_begun_again() -> None:
    def back(host: str) -> bool:
        return host == host_of(HERE)

    assert judge(a_run(StateType.RUNNING, place=HERE), None, NOW, living, back) is None
    again = judge(a_run(StateType.RUNNING, place=HERE), None, NOW, gone, back)
    assert again is not None
    assert again.is_scheduled()


@given(run=runs(), root=st.none() | runs())
def test_a_lost_machine_changes_nothing_for_the_processes_of_this_one(run: FlowRun, root: FlowRun | None) -> None:
    if run.infrastructure_pid == HERE and (root is None or root.infrastructure_pid == HERE):
        assert with_its_machine(run, root, living) in {None, verdict(run, root, living), StateType.SCHEDULED}


def test_this_process_lives_and_has_since_it_began() -> None:
    assert is_alive(os.getpid(), datetime.now(UTC))
    assert pid_here(place_of()) == os.getpid()


def test_a_process_that_began_after_the_work_is_another_one() -> None:
    assert not is_alive(os.getpid(), datetime(2020, 1, 1, tzinfo=UTC) - CLOCKS)


def test_a_busy_process_that_answers_nothing_lives() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        busy.send_signal(signal.SIGSTOP)
        assert is_alive(busy.pid, datetime.now(UTC))
        busy.kill()
        until(lambda: not is_alive(busy.pid, datetime.now(UTC)))


def test_a_container_lives_while_the_engine_has_it_or_cannot_be_asked() -> None:
    def no_engine() -> set[str]:
        raise UnavailableError("No Docker engine answers")

    for running, lives in ((lambda: {"regie-1"}, True), (lambda: {"regie-2"}, False), (no_engine, True)):
        assert is_alive("regie-1", NOW, running) is lives


@pytest.mark.parametrize("kind", [StateType.RUNNING, StateType.CANCELLING])
def test_a_run_whose_container_is_gone_has_ended(kind: StateType) -> None:
    expected = StateType.CANCELLED if kind is StateType.CANCELLING else StateType.CRASHED
    run = a_run(kind, place=place_of_container("regie-1"))
    assert verdict(run) is expected
    assert verdict(run, alive=living) is None
    elsewhere = a_run(kind, place="another-machine:regie-1")
    assert verdict(elsewhere) is None


def test_what_is_told_where_it_is_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOLD, place_of_container("regie-1"))
    assert which_here(place_of()) == "regie-1"
    assert which_here(place_of(41)) == 41
    assert which_here(f"{HERE}x") is None


@pytest.mark.parametrize("place", [None, "", "12", ":12", "another-machine:12", place_of() + "x", f"{HERE}:²"])
def test_what_is_not_the_place_of_a_process_here_is_nobodys(place: str | None) -> None:
    assert pid_here(place) is None


@flow
def nothing() -> None:
    """Do nothing."""


def test_of_two_that_find_a_run_lost_one_has_it_begun_again(
    prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(nothing, state=Running())
        run = client.read_flow_run(run.id)
        assert [watch._set(client, run, Scheduled()) for _ in range(2)] == [True, False]
        state = client.read_flow_run(run.id).state
        assert state is not None
        assert state.is_scheduled()
        client.set_flow_run_state(run.id, Completed(), force=True)
        assert not watch._set(client, run, Scheduled()), "it is not as it was judged"


def test_phases_are_judged_by_their_runs_however_many_there_are(
    prefect_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PAGE", 2)
    monkeypatch.setattr(watch, "PATIENCE", timedelta())
    with get_client(sync_client=True) as client:
        phases = set()
        for _ in range(5):
            root = client.create_flow_run(nothing, state=Running())
            link = client.create_task_run(Task(lambda: None, name="link"), root.id, dynamic_key="0")
            phases.add(client.create_flow_run(nothing, parent_task_run_id=link.id, state=Running()).id)
            client.set_flow_run_state(root.id, Crashed())
        assert {run.id for run in Watch().look(client)} >= phases
        for phase in phases:
            state = client.read_flow_run(phase).state
            assert state is not None
            assert state.is_crashed()
