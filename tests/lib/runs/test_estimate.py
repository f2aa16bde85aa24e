from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from lib.runs.estimate import Standing, end_of
from lib.runs.past import Durations, PastPhase, PastRun
from lib.runs.plan import Phase

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
NONE = Durations([])


def phase(number: int, *after: str, weight: float = 1.0) -> Phase:
    return Phase(number, f"p{number}", f"Phase {number}", "m:f", "base", after, (), weight)


def past(runs: int = 1, closing: float = 0.0, waited: float = 0.0, **phases: tuple[float, float]) -> Durations:
    """Past runs that were all alike, by the seconds and the work of their phases."""
    told = {
        key: PastPhase(seconds=seconds, waited=waited, work=work, worked=work)
        for key, (seconds, work) in phases.items()
    }
    return Durations(
        [
            PastRun(run_id=f"run-{n}", ended=BEGAN - timedelta(days=n), closing=closing, phases=told)
            for n in range(1, runs + 1)
        ]
    )


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def over(each: Phase, start: float, end: float, work: float = 100) -> Standing:
    return Standing(each, over=True, started=at(start), ended=at(end), reached=1, fraction=1, work=work, worked=work)


def under_way(each: Phase, start: float, fraction: float, work: float = 100) -> Standing:
    return Standing(each, started=at(start), reached=fraction, fraction=fraction, work=work, worked=fraction * work)


def estimate(standings: Sequence[Standing], durations: Durations, now: float) -> tuple[float, str]:
    """Return the estimated end in seconds from the run's start, and what it rests on."""
    end, basis = end_of(standings, durations, BEGAN, at(now))
    assert end is not None
    return (end - BEGAN).total_seconds(), basis


ONE, TWO, THREE = phase(1), phase(2, "p1"), phase(3, "p2")
CHAIN = [Standing(ONE), Standing(TWO), Standing(THREE)]


def test_a_run_that_begins_takes_as_long_as_others_did() -> None:
    durations = past(12, closing=1, waited=2, p1=(10, 0), p2=(60, 0), p3=(30, 0))
    assert estimate(CHAIN, durations, 0) == (pytest.approx(107), "median of 12 runs")


def test_without_past_and_pace_nothing_is_known() -> None:
    assert end_of(CHAIN, NONE, BEGAN, at(5)) == (None, "")
    assert end_of([under_way(ONE, 0, 0.001), *CHAIN[1:]], NONE, BEGAN, at(5)) == (None, "")


def test_without_past_the_declared_weights_share_what_this_runs_pace_says() -> None:
    plan = [phase(1, weight=1), phase(2, "p1", weight=3), phase(3, "p2", weight=6)]
    half = [under_way(plan[0], 0, 0.5), Standing(plan[1]), Standing(plan[2])]
    assert estimate(half, NONE, 5) == (pytest.approx(100), "this run's pace")
    later = [over(plan[0], 0, 10), over(plan[1], 10, 40), Standing(plan[2])]
    assert estimate(later, NONE, 40) == (pytest.approx(100), "this run's pace")


def test_a_phase_without_past_beside_those_with_one_goes_by_its_weight() -> None:
    plan = [phase(1, weight=1), phase(2, "p1", weight=3)]
    assert estimate([Standing(plan[0]), Standing(plan[1])], past(p1=(10, 0)), 0)[0] == pytest.approx(40)


def test_phases_at_the_same_time_count_once() -> None:
    plan = [phase(1), phase(2), phase(3, "p1", "p2")]
    durations = past(p1=(10, 0), p2=(100, 0), p3=(5, 0))
    assert estimate([Standing(each) for each in plan], durations, 0)[0] == pytest.approx(105)


def test_phases_that_are_skipped_take_no_time() -> None:
    durations = past(p1=(10, 0), p2=(60, 0), p3=(30, 0))
    assert estimate([Standing(ONE), Standing(TWO, skipped=True), Standing(THREE)], durations, 0)[0] == pytest.approx(40)


def test_more_work_takes_longer() -> None:
    durations = past(p1=(10, 100), p2=(60, 100))
    larger = [under_way(ONE, 0, 0, work=300), Standing(TWO)]
    assert estimate(larger, durations, 0)[0] == pytest.approx(210)


def test_what_is_behind_corrects_what_is_to_come() -> None:
    """Twice as slow so far: the rest is thought to be slower too, though not fully so."""
    durations = past(3, p1=(40, 100), p2=(60, 100))
    end, basis = estimate([over(ONE, 0, 80), Standing(TWO)], durations, 80)
    assert 80 + 60 * 1.5 < end < 80 + 60 * 2
    assert basis == "median of 3 runs, this run's pace"


def test_one_odd_phase_does_not_move_everything() -> None:
    """A phase of a tenth of the run took a hundred times as long: the rest is at most four times as slow."""
    durations = past(p1=(10, 100), p2=(90, 100))
    assert estimate([over(ONE, 0, 1000), Standing(TWO)], durations, 1000)[0] < 1000 + 4 * 90


def test_a_phase_under_way_goes_by_its_own_pace_more_and_more() -> None:
    """By the past it takes 100 s; it goes at a pace of 200 s."""
    durations = past(p1=(100, 100))
    ends = [estimate([under_way(ONE, 0, part)], durations, 200 * part)[0] for part in (0.1, 0.3, 0.6, 0.9, 0.99)]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(200, rel=0.01)


def test_time_that_does_not_grow_with_the_work_is_no_pace() -> None:
    """A model is loaded for 20 s, whatever the work: past runs of three sizes tell so."""
    runs = [
        PastRun(
            run_id=str(work),
            ended=BEGAN - timedelta(days=1),
            phases={"p1": PastPhase(seconds=20 + work, work=work, worked=work)},
        )
        for work in (10, 50, 100)
    ]
    tenth = under_way(ONE, 0, 0.1, work=1000)
    assert estimate([tenth], Durations(runs), 20 + 100)[0] == pytest.approx(1020)


def test_what_was_kept_is_no_pace_either() -> None:
    """A resumed phase: nine tenths were there already and took no time, the last tenth is worked on."""
    resumed = Standing(ONE, started=at(0), reached=0.9, fraction=0.9, work=1000, worked=0)
    assert estimate([resumed], past(p1=(1000, 1000)), 1)[0] == pytest.approx(100)


def test_a_phase_that_says_nothing_ends_when_the_past_says_and_never_before_now() -> None:
    silent = Standing(ONE, started=at(0))
    assert estimate([silent], past(p1=(100, 0)), 60)[0] == pytest.approx(100)
    assert estimate([silent], past(p1=(100, 0)), 300)[0] == pytest.approx(300)


def test_a_phase_that_waits_to_be_picked_up_starts_when_others_did() -> None:
    durations = past(waited=10, p1=(20, 0), p2=(20, 0))
    behind = over(ONE, 10, 30, work=0)
    assert estimate([behind, Standing(TWO)], durations, 34)[0] == pytest.approx(60)
    assert estimate([behind, Standing(TWO)], durations, 55)[0] == pytest.approx(75), "it did not start in time"


def test_a_run_whose_phases_are_over_only_closes() -> None:
    assert estimate([over(ONE, 0, 10)], past(closing=2, p1=(10, 100)), 11)[0] == pytest.approx(12)


def test_more_than_ten_years_is_nothing_known() -> None:
    assert end_of([Standing(ONE)], past(p1=(1e12, 0)), BEGAN, BEGAN) == (None, "")
