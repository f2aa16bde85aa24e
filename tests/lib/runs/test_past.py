from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.past import RECENT, Durations, Known, PastPhase, PastRun, fit

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOTHING = Known({}, {})
SIZES = st.floats(0, 1e9)


def runs(*phases: dict[str, PastPhase]) -> list[PastRun]:
    """Past runs with these phases, the oldest first."""
    return [
        PastRun(run_id=f"run-{n}", ended=NOW - timedelta(days=len(phases) - n), phases=each)
        for n, each in enumerate(phases)
    ]


def sized(seconds: float, work: float, worked: float | None = None) -> PastPhase:
    return PastPhase(seconds=seconds, work=work, worked=work if worked is None else worked)


def seconds(durations: Durations, key: str, known: Known = NOTHING) -> float:
    told = durations.of(key, known)
    assert told is not None
    return told.seconds


def test_a_phase_without_a_past_has_no_duration() -> None:
    durations = Durations(runs({"scan": PastPhase(seconds=3)}))
    assert durations.of("print", NOTHING) is None
    assert (durations.runs("print"), durations.waited("print")) == (0, 0)


def test_a_phase_takes_as_long_as_it_mostly_did() -> None:
    durations = Durations(runs(*({"scan": PastPhase(seconds=s, waited=s / 10)} for s in (10, 12, 500))))
    assert seconds(durations, "scan") == 12
    assert durations.waited("scan") == 1.2
    assert durations.runs("scan") == 3


def test_a_phase_with_more_work_takes_longer() -> None:
    durations = Durations(runs(*({"scan": sized(5 + 2 * n, n)} for n in (10, 20, 30))))
    assert seconds(durations, "scan", Known({"scan": 100}, {})) == pytest.approx(205)


def test_with_one_past_run_time_grows_with_work() -> None:
    assert seconds(Durations(runs({"scan": sized(10, 100)})), "scan", Known({"scan": 400}, {})) == 40


def test_work_that_is_not_known_yet_follows_from_that_of_the_phase_before() -> None:
    durations = Durations(runs(*({"scan": sized(1, n), "print": sized(3 * n, 2 * n)} for n in (10, 20, 30))))
    assert seconds(durations, "print", Known({"scan": 50}, {})) == pytest.approx(150)


def test_the_phase_that_spoke_last_tells_most() -> None:
    phases = ({"fetch": sized(1, 7), "scan": sized(1, n), "print": sized(n, n)} for n in (10, 20, 30))
    assert seconds(Durations(runs(*phases)), "print", Known({"fetch": 7, "scan": 50}, {})) == pytest.approx(50)


def test_what_is_kept_takes_no_time() -> None:
    """Fresh runs and repeated ones: a run whose first phase found everything there will go on so."""
    fresh = [{"scan": sized(10, 100), "print": sized(50, 100)} for _ in range(2)]
    again = [{"scan": sized(0.1, 100, 0), "print": sized(0.5, 100, 0)} for _ in range(5)]
    durations = Durations(runs(*fresh, *again))
    assert seconds(durations, "print", Known({"scan": 100}, {"scan": 1.0})) == pytest.approx(50)
    assert seconds(durations, "print", Known({"scan": 100}, {"scan": 0.0})) == pytest.approx(0.5)


def test_runs_of_long_ago_do_not_count() -> None:
    old, new = [{"scan": PastPhase(seconds=100)}] * RECENT, [{"scan": PastPhase(seconds=10)}] * RECENT
    assert seconds(Durations(runs(*old, *new)), "scan") == 10


def test_what_says_how_much_work_it_had_counts_before_what_does_not() -> None:
    durations = Durations(runs({"scan": PastPhase(seconds=999)}, {"scan": sized(10, 100)}))
    assert seconds(durations, "scan", Known({"scan": 100}, {})) == 10
    assert durations.runs("scan") == 1


@given(points=st.lists(st.tuples(SIZES, SIZES), min_size=1, max_size=12))
def test_a_fitted_line_never_falls_and_starts_at_nought_or_above(points: Sequence[tuple[float, float]]) -> None:
    fixed, rate = fit(points)
    assert fixed >= 0
    assert rate >= 0


@given(
    fixed=st.floats(0, 100),
    rate=st.floats(0.01, 100),
    sizes=st.lists(st.floats(1, 1000).map(lambda size: round(size, 2)), min_size=5, max_size=9, unique=True),
    held_up=st.floats(0, 1e6),
)
def test_a_run_that_was_held_up_moves_no_line(fixed: float, rate: float, sizes: list[float], held_up: float) -> None:
    points = [(size, fixed + rate * size) for size in sizes]
    points[2] = (points[2][0], points[2][1] + held_up)
    assert fit(points) == pytest.approx((fixed, rate), rel=1e-3, abs=1e-3)
