import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.past import PastPhase, PastRun
from lib.runs.plan import Phase, Workflow, hindrance
from lib.runs.progress import ProgressRecord
from lib.runs.status import Observed, PhaseStatus, RunState, RunStatus, derive

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
STATES = st.sampled_from([state for state in RunState if state is not RunState.SKIPPED])
RECORDS = st.builds(
    ProgressRecord, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.floats(-1, 101)
)
MOMENTS = st.integers(-7200, 60).map(lambda seconds: NOW + timedelta(seconds=seconds))


def observed(flow: str, state: RunState, run_id: str = "x", **rest: object) -> Observed:
    return Observed.model_validate({"run_id": run_id, "flow": flow, "state": state, **rest})


@st.composite
def attempts(draw: st.DrawFn, workflow: Workflow) -> list[Observed]:
    """Any children: none, one or several of each phase, and some of something else."""
    flows = [workflow.flow_name(phase) for phase in workflow.phases]
    drawn = draw(st.lists(st.sampled_from([*flows, "something-else"]), max_size=2 * len(flows)))
    return [
        observed(
            flow,
            draw(STATES),
            f"run-{number}",
            created=draw(st.none() | MOMENTS),
            started=draw(st.none() | MOMENTS),
            ended=draw(st.none() | MOMENTS),
            progress=draw(st.none() | RECORDS),
            message="words",
        )
        for number, flow in enumerate(drawn)
    ]


@st.composite
def situations(draw: st.DrawFn) -> tuple[Workflow, Observed, list[Observed], set[str] | None]:
    workflow = draw(st.from_type(Workflow))
    root = observed("work", draw(STATES), "root", started=draw(st.none() | MOMENTS), ended=draw(st.none() | MOMENTS))
    keys = [phase.key for phase in workflow.phases]
    return workflow, root, draw(attempts(workflow)), draw(st.none() | st.sets(st.sampled_from(keys), min_size=1))


@given(situation=situations())
def test_every_planned_phase_is_told_once_with_progress_between_0_and_100(
    situation: tuple[Workflow, Observed, list[Observed], set[str] | None],
) -> None:
    workflow, root, children, chosen = situation
    status = derive(workflow, root, children, NOW, chosen=chosen)
    assert [phase.key for phase in status.phases] == [phase.key for phase in workflow.phases]
    assert sum(status.counts.values()) == len(workflow.phases)
    assert 0 not in status.counts.values()
    assert 0 <= status.progress <= 100
    for phase in status.phases:
        assert phase.state in status.counts
        assert phase.duration is None or phase.duration >= 0
        if phase.state is RunState.COMPLETED:
            assert phase.progress == 100
        elif not phase.state.final:
            assert phase.progress < 100
            assert phase.ended is None
        if phase.state is RunState.SKIPPED:
            assert phase.error, "a skipped phase says why"


@given(situation=situations())
def test_a_run_is_at_100_exactly_when_it_completed(
    situation: tuple[Workflow, Observed, list[Observed], set[str] | None],
) -> None:
    workflow, root, children, chosen = situation
    status = derive(workflow, root, children, NOW, chosen=chosen)
    assert (status.progress == 100) is (status.state is RunState.COMPLETED)


@given(situation=situations(), seed=st.integers(0, 99))
def test_the_order_of_children_does_not_matter(
    situation: tuple[Workflow, Observed, list[Observed], set[str] | None], seed: int
) -> None:
    workflow, root, children, chosen = situation
    shuffled = random.Random(seed).sample(children, len(children))
    assert derive(workflow, root, shuffled, NOW, chosen=chosen) == derive(workflow, root, children, NOW, chosen=chosen)


@given(situation=situations())
def test_a_failed_run_with_something_done_is_partial(
    situation: tuple[Workflow, Observed, list[Observed], set[str] | None],
) -> None:
    workflow, root, children, chosen = situation
    status = derive(workflow, root, children, NOW, chosen=chosen)
    something = status.counts.keys() & {RunState.COMPLETED, RunState.PARTIAL}
    expected = RunState.PARTIAL if root.state is RunState.FAILED and something else root.state
    assert status.state is expected


def finished(workflow: Workflow, ends: dict[str, RunState]) -> list[Observed]:
    """The children of a run in which each phase that could start ended as `ends` says."""
    failed: dict[str, str] = {}
    children = []
    for phase in workflow.phases:
        if hindrance(phase, failed):
            failed[phase.key] = "was skipped"
            continue
        children.append(observed(workflow.flow_name(phase), ends[phase.key], phase.key, created=NOW))
        if ends[phase.key] is RunState.FAILED:
            failed[phase.key] = "failed"
    return children


@given(workflow=..., data=st.data())
def test_a_status_skips_the_phases_that_the_orchestrator_skips(workflow: Workflow, data: st.DataObject) -> None:
    endings = st.sampled_from([RunState.COMPLETED, RunState.PARTIAL, RunState.FAILED])
    ends = {phase.key: data.draw(endings) for phase in workflow.phases}
    children = finished(workflow, ends)
    root = observed("work", data.draw(st.sampled_from([RunState.RUNNING, RunState.FAILED])), "root")
    status = derive(workflow, root, children, NOW)
    ran = {child.run_id for child in children}
    for phase in status.phases:
        assert (phase.state is RunState.SKIPPED) is (phase.key not in ran)
        if phase.state is RunState.SKIPPED:
            assert phase.error.startswith("needs ")


@given(workflow=..., percents=st.lists(st.floats(0, 100), min_size=2, max_size=2).map(sorted))
def test_a_run_moves_on_as_its_phases_do(workflow: Workflow, percents: list[float]) -> None:
    phase, root = workflow.phases[-1], observed("work", RunState.RUNNING, "root")

    def at(percent: float) -> float:
        record = ProgressRecord(percent=percent)
        children = [observed(workflow.flow_name(phase), RunState.RUNNING, progress=record)]
        return derive(workflow, root, children, NOW).progress

    assert at(percents[0]) <= at(percents[1]) < 100


def of(status: RunStatus, key: str) -> PhaseStatus:
    return next(phase for phase in status.phases if phase.key == key)


def test_the_latest_attempt_of_a_phase_counts(chain: Callable[[int], Workflow]) -> None:
    first = observed("work-p1", RunState.FAILED, "first", created=NOW - timedelta(minutes=5), message="no network")
    second = observed("work-p1", RunState.RUNNING, "second", created=NOW, started=NOW - timedelta(seconds=30))
    status = derive(chain(2), observed("work", RunState.RUNNING), [second, first], NOW)
    phase = of(status, "p1")
    assert (phase.run_id, phase.state, phase.attempt, phase.error) == ("second", RunState.RUNNING, 2, "")
    assert phase.duration == 30
    assert of(status, "p2").state is RunState.PENDING
    assert status.counts == {RunState.RUNNING: 1, RunState.PENDING: 1}


def test_attempts_that_prefect_counts_in_one_run_are_told(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p1", RunState.RUNNING, created=NOW, attempt=3)
    assert of(derive(chain(1), observed("work", RunState.RUNNING), [child], NOW), "p1").attempt == 3


def test_a_failure_reaches_all_that_need_it_and_says_how(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p1", RunState.FAILED, created=NOW, message="the archive is damaged")
    status = derive(chain(3), observed("work", RunState.FAILED), [child], NOW)
    assert [phase.error for phase in status.phases] == [
        "the archive is damaged",
        "needs p1, which failed",
        "needs p2, which was skipped",
    ]
    assert status.state is RunState.FAILED


def test_phases_that_were_not_asked_for_are_skipped_and_weigh_nothing(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p2", RunState.RUNNING, created=NOW, progress=ProgressRecord(percent=40))
    status = derive(chain(3), observed("work", RunState.RUNNING), [child], NOW, chosen={"p2"})
    assert [phase.state for phase in status.phases] == [RunState.SKIPPED, RunState.RUNNING, RunState.SKIPPED]
    assert of(status, "p3").error == "not asked for"
    assert status.progress == 40


def test_phases_weigh_what_they_were_declared_to() -> None:
    phases = (Phase(1, "a", "A", "m:a", "base", weight=1), Phase(2, "b", "B", "m:b", "base", weight=3))
    children = [
        observed("work-a", RunState.COMPLETED),
        observed("work-b", RunState.RUNNING, progress=ProgressRecord(percent=20)),
    ]
    status = derive(Workflow("work", "Work", "m:w", phases), observed("work", RunState.RUNNING), children, NOW)
    assert status.progress == pytest.approx((1 * 100 + 3 * 20) / 4)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (RunState.CANCELLED, "the run was cancelled before it"),
        (RunState.FAILED, "the run failed before it"),
        (RunState.CRASHED, "the run crashed before it"),
        (RunState.COMPLETED, "the run completed without it"),
    ],
)
def test_phases_that_a_run_never_came_to_say_so(chain: Callable[[int], Workflow], ended: RunState, words: str) -> None:
    status = derive(chain(2), observed("work", ended), [], NOW)
    assert status.state is ended
    assert {phase.state for phase in status.phases} == {RunState.SKIPPED}
    assert of(status, "p1").error == words


def test_what_a_phase_reports_is_told(chain: Callable[[int], Workflow]) -> None:
    record = ProgressRecord(
        done=3, total=9, failed=2, skipped=1, percent=62.5, item="film.mp4 3/7", engine="x 1", figures="5 cuts"
    )
    child = observed("work-p1", RunState.RUNNING, created=NOW, started=NOW, progress=record)
    phase = of(derive(chain(1), observed("work", RunState.RUNNING), [child], NOW), "p1")
    assert (phase.done, phase.total, phase.failed, phase.skipped) == (3, 9, 2, 1)
    assert (phase.progress, phase.item, phase.engine) == (62.5, "film.mp4 3/7", "x 1")
    assert phase.figures == "5 cuts"


def test_a_phase_that_ended_works_on_nothing_more(chain: Callable[[int], Workflow]) -> None:
    record = ProgressRecord(done=1, total=2, failed=1, percent=100, item="film.mp4 3/7")
    child = observed(
        "work-p1",
        RunState.PARTIAL,
        started=NOW - timedelta(seconds=9),
        ended=NOW - timedelta(seconds=2),
        progress=record,
        message="1 done, 1 failed",
    )
    phase = of(derive(chain(1), observed("work", RunState.FAILED), [child], NOW), "p1")
    assert (phase.item, phase.error, phase.duration) == ("", "1 done, 1 failed", 7)
    assert phase.ended == NOW - timedelta(seconds=2)


def test_children_made_at_the_same_moment_are_told_apart_the_same_way_always(chain: Callable[[int], Workflow]) -> None:
    twins = [observed("work-p1", state, state.value, created=NOW) for state in (RunState.FAILED, RunState.RUNNING)]
    root = observed("work", RunState.RUNNING)
    assert derive(chain(1), root, twins, NOW) == derive(chain(1), root, twins[::-1], NOW)


def test_a_phase_that_crashed_says_so_and_stops_those_that_need_it(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p1", RunState.CRASHED, created=NOW, message="its process died")
    status = derive(chain(2), observed("work", RunState.RUNNING), [child], NOW)
    assert [(phase.state, phase.error) for phase in status.phases] == [
        (RunState.CRASHED, "its process died"),
        (RunState.SKIPPED, "needs p1, which crashed"),
    ]
    assert status.counts == {RunState.CRASHED: 1, RunState.SKIPPED: 1}
    assert status.state is RunState.RUNNING


def test_a_run_that_crashed_tells_of_phases_that_go_on_elsewhere(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p1", RunState.RUNNING, created=NOW, progress=ProgressRecord(percent=40))
    status = derive(chain(2), observed("work", RunState.CRASHED, message="no heartbeat"), [child], NOW)
    assert (status.state, status.message) == (RunState.CRASHED, "no heartbeat")
    assert [phase.state for phase in status.phases] == [RunState.RUNNING, RunState.SKIPPED]
    assert of(status, "p2").error == "the run crashed before it"


def test_a_run_that_is_cancelled_stays_where_it_was(chain: Callable[[int], Workflow]) -> None:
    """The phases that it never came to were planned, and are not done."""
    record = ProgressRecord(percent=50)
    before = [observed("work-p1", RunState.RUNNING, created=NOW, progress=record)]
    after = [observed("work-p1", RunState.CANCELLED, created=NOW, progress=record)]
    running = derive(chain(5), observed("work", RunState.RUNNING), before, NOW)
    assert running.progress == derive(chain(5), observed("work", RunState.CANCELLED), after, NOW).progress == 10


def test_phases_that_a_failure_keeps_from_running_weigh_nothing_and_those_behind_a_crash_do(
    chain: Callable[[int], Workflow],
) -> None:
    def progress(end: RunState) -> float:
        child = observed("work-p1", end, created=NOW, progress=ProgressRecord(percent=50))
        return derive(chain(5), observed("work", RunState.RUNNING), [child], NOW).progress

    assert (progress(RunState.FAILED), progress(RunState.CRASHED), progress(RunState.CANCELLED)) == (50, 10, 10)


def test_in_a_resumed_run_what_did_not_complete_is_pending_again(chain: Callable[[int], Workflow]) -> None:
    children = [
        observed("work-p1", RunState.COMPLETED, "one", created=NOW, of_attempt=1),
        observed("work-p2", RunState.FAILED, "two", created=NOW, of_attempt=1, progress=ProgressRecord(percent=100)),
    ]
    resumed = derive(chain(4), observed("work", RunState.RUNNING, attempt=2), children, NOW)
    assert [phase.state for phase in resumed.phases] == [RunState.COMPLETED, *[RunState.PENDING] * 3]
    assert [phase.attempt for phase in resumed.phases] == [1, 1, 0, 0]
    assert (resumed.progress, resumed.attempt) == (25, 2)
    ended = derive(chain(4), observed("work", RunState.CANCELLED, attempt=2), children, NOW)
    assert of(ended, "p2").state is RunState.FAILED, "it was not tried again: what is known of it is what it was"
    assert ended.progress == 25


def test_in_a_resumed_run_what_comes_after_a_phase_that_is_run_again_is_run_again_too() -> None:
    plan = (
        Phase(1, "a", "A", "m:a", "base"),
        Phase(2, "b", "B", "m:b", "base", after=("a",)),
        Phase(3, "c", "C", "m:c", "base"),
    )
    children = [
        observed("work-a", RunState.FAILED, "first a", created=NOW, of_attempt=1),
        observed("work-b", RunState.COMPLETED, "first b", created=NOW, of_attempt=1),
        observed("work-c", RunState.COMPLETED, "first c", created=NOW, of_attempt=1),
        observed("work-a", RunState.RUNNING, "second a", created=NOW + timedelta(seconds=1), of_attempt=2),
    ]
    root = observed("work", RunState.RUNNING, attempt=2)
    status = derive(Workflow("work", "Work", "m:w", plan), root, children, NOW)
    assert [phase.state for phase in status.phases] == [RunState.RUNNING, RunState.PENDING, RunState.COMPLETED]
    assert of(status, "a").run_id == "second a"


def test_in_a_resumed_run_a_phase_that_goes_on_elsewhere_is_waited_for(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p1", RunState.RUNNING, "one", created=NOW, of_attempt=1)
    status = derive(chain(2), observed("work", RunState.RUNNING, attempt=2), [child], NOW)
    assert [phase.state for phase in status.phases] == [RunState.RUNNING, RunState.PENDING]


def test_what_has_not_completed_is_not_at_100_when_rounded(chain: Callable[[int], Workflow]) -> None:
    child = observed("work-p1", RunState.RUNNING, progress=ProgressRecord(percent=100))
    status = derive(chain(1), observed("work", RunState.RUNNING), [child], NOW)
    assert round(status.progress) == round(of(status, "p1").progress) == 99


@pytest.mark.parametrize(
    ("root", "known"),
    [
        (observed("work", RunState.RUNNING, started=NOW), True),
        (observed("work", RunState.RUNNING, started=NOW, stopping=True), False),
        (observed("work", RunState.PAUSED, started=NOW), False),
        (observed("work", RunState.PENDING), False),
        (observed("work", RunState.COMPLETED, started=NOW, ended=NOW), False),
    ],
)
def test_the_end_is_estimated_while_a_run_works(chain: Callable[[int], Workflow], root: Observed, known: bool) -> None:
    past = [PastRun(run_id="past", ended=NOW, phases={key: PastPhase(seconds=30) for key in ("p1", "p2")})]
    status = derive(chain(2), root, [], NOW, past=past)
    assert status.estimated_end == (NOW + timedelta(minutes=1) if known else None)
    assert status.basis == ("median of 1 run" if known else "")
