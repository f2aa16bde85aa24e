import statistics
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.history import durations, history_of, past_run, trend
from lib.runs.past import PastPhase, PastRun
from lib.runs.past_reader import read_history
from lib.runs.plan import Phase, Workflow
from lib.runs.progress import ProgressRecord
from lib.runs.server import connected
from lib.runs.status import Observed, RunState

T = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = Workflow(
    "work",
    "Work",
    "m:f",
    (Phase(1, "a", "A", "m:f", "base"), Phase(2, "b", "B", "m:f", "base", after=("a",))),
)
SECONDS = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=40)


def observed(
    flow: str,
    start: float | None,
    end: float | None,
    *,
    state: RunState = RunState.COMPLETED,
    attempt: int = 1,
    **record: float,
) -> Observed:
    moment = {
        name: None if at is None else T + timedelta(seconds=at) for name, at in (("started", start), ("ended", end))
    }
    return Observed(
        run_id=f"{flow} {start}",
        flow=flow,
        state=state,
        created=T + timedelta(seconds=start or 0),
        attempt=attempt,
        progress=ProgressRecord(**record) if record else None,
        **moment,
    )


@given(SECONDS)
def test_figures_of_durations_are_among_them(seconds: list[float]) -> None:
    figures = durations(seconds)
    assert figures.runs == len(seconds)
    assert figures.seconds == seconds
    assert figures.median == pytest.approx(statistics.median(seconds))
    assert min(seconds) * (1 - 1e-9) <= figures.median <= figures.p95 * (1 + 1e-9) <= max(seconds) * (1 + 1e-6)
    assert sum(each <= figures.p95 * (1 + 1e-9) for each in seconds) >= 0.95 * (len(seconds) - 1)


@given(SECONDS, st.floats(0.1, 10))
def test_a_trend_is_a_share_and_turns_round_with_time(seconds: list[float], factor: float) -> None:
    own = trend(seconds)
    if own is None:
        assert len(seconds) < 5
        return
    assert trend([factor * each for each in seconds]) == pytest.approx(own, rel=1e-6, abs=1e-9)
    assert trend(seconds[::-1]) == pytest.approx(-own, rel=1e-6, abs=1e-9)


def test_the_trend_of_a_line_is_what_it_gained_and_one_outlier_changes_nothing() -> None:
    line = [90.0, 95.0, 100.0, 105.0, 110.0]
    assert trend(line) == pytest.approx(0.2)
    assert trend([100.0] * 9) == 0
    assert trend([100.0] * 5 + [10_000.0] + [100.0] * 5) == 0
    assert trend(line[:4]) is None
    assert trend([0.0] * 8) is None


def test_without_a_past_nothing_is_known() -> None:
    figures = history_of(PLAN, [], [])
    assert [(phase.key, phase.runs, phase.median, phase.p95, phase.trend) for phase in figures.phases] == [
        ("a", 0, None, None, None),
        ("b", 0, None, None, None),
    ]
    assert (figures.first, figures.last, figures.whole.median) == (None, None, None)


def test_longer_inputs_are_no_trend() -> None:
    """Each input is longer than the one before it; the work itself takes as long as ever."""
    pasts = [
        PastRun(run_id=str(n), ended=T + timedelta(days=n), phases={"a": PastPhase(seconds=2 * n, work=n, worked=n)})
        for n in range(1, 9)
    ]
    phase = history_of(PLAN, pasts, []).phases[0]
    assert phase.trend == pytest.approx(0)
    assert phase.median == 9


def test_a_phase_that_found_everything_done_already_says_nothing() -> None:
    pasts = [
        PastRun(run_id="1", ended=T, phases={"a": PastPhase(seconds=100, work=50, worked=50)}),
        PastRun(run_id="2", ended=T, phases={"a": PastPhase(seconds=0.1, work=50, worked=0)}),
        PastRun(run_id="3", ended=T, phases={"a": PastPhase(seconds=80)}),
    ]
    assert history_of(PLAN, pasts, []).phases[0].seconds == [100, 80]


def test_a_run_that_ended_tells_how_long_its_phases_worked_and_waited() -> None:
    root = observed("work", 0, 100)
    past = past_run(PLAN, root, [observed("work-a", 5, 30, work=7, worked=3), observed("work-b", 34, 90)])
    assert past is not None
    assert past.phases["a"] == PastPhase(seconds=25, waited=5, work=7, worked=3)
    assert past.phases["b"] == PastPhase(seconds=56, waited=4)
    assert (past.closing, past.ended) == (10, T + timedelta(seconds=100))


def test_of_a_run_that_was_resumed_the_last_try_counts_and_nobody_waited() -> None:
    root = observed("work", 0, 10_000, attempt=2)
    first = [observed("work-a", 1, 10), observed("work-b", 11, 20, state=RunState.FAILED)]
    past = past_run(PLAN, root, [observed("work-b", 9_000, 9_900), *first, observed("elsewhere", 0, 1)])
    assert past is not None
    assert {key: (phase.seconds, phase.waited) for key, phase in past.phases.items()} == {"a": (9, 0), "b": (900, 0)}


@pytest.mark.parametrize(
    ("root", "children"),
    [
        (observed("work", 0, None, state=RunState.RUNNING), [observed("work-a", 1, 2)]),
        (observed("work", 0, 9, state=RunState.FAILED), []),
        (observed("work", 0, 9, state=RunState.FAILED), [observed("work-a", 1, 2, state=RunState.FAILED)]),
        (observed("work", 0, 9, state=RunState.CRASHED), [observed("work-a", 1, None)]),
    ],
)
def test_a_run_in_which_nothing_completed_says_nothing(root: Observed, children: list[Observed]) -> None:
    assert past_run(PLAN, root, children) is None


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_the_history_of_a_workflow_is_read_from_its_newest_runs(filling: ModuleType) -> None:
    workflow = filling.workflow_of(3, "history")
    filling.fill(filling.database, workflow, completed=12)
    filling.fill(filling.database, workflow, working=2)
    with connected() as connection:
        history = connection(read_history, workflow)
        assert [phase.runs for phase in history.phases] == [12, 12, 12]
        assert history.whole.runs == 12
        for figures in (*history.phases, history.whole):
            assert 0 < figures.median <= figures.p95
            assert figures.trend is not None
        assert history.whole.median == pytest.approx(sum(phase.median for phase in history.phases), rel=0.5)
        assert connection(read_history, workflow, runs=5).phases[0].seconds == history.phases[0].seconds[-5:]
        middle = history.first + (history.last - history.first) / 2
        early, late = (connection(read_history, workflow, **part) for part in ({"until": middle}, {"since": middle}))
        assert early.whole.seconds + late.whole.seconds == history.whole.seconds
        assert connection(read_history, filling.workflow_of(2, "never")).last is None
