from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from lib.runs.estimate import Standing
from lib.runs.past import Durations, PastPhase, PastRun
from lib.runs.plan import Phase
from lib.runs.weights import fraction_of

ENDED = datetime(2026, 1, 1, tzinfo=UTC)


def phase(number: int, *after: str, weight: float = 1.0) -> Phase:
    return Phase(number, f"p{number}", f"Phase {number}", "m:f", "base", after, (), weight)


def past(**phases: float | tuple[float, float]) -> Durations:
    """One past run, by the seconds of its phases, or seconds and work."""
    told = {
        key: PastPhase(seconds=took[0], work=took[1], worked=took[1])
        if isinstance(took, tuple)
        else PastPhase(seconds=took)
        for key, took in phases.items()
    }
    return Durations([PastRun(run_id="past", ended=ENDED, phases=told)])


def percents(reached: Sequence[float], phases: Sequence[Phase], durations: Durations) -> float:
    standings = [Standing(each, reached=far, over=far == 1) for each, far in zip(phases, reached, strict=True)]
    return 100 * fraction_of(standings, durations)


CHAIN = [phase(1), phase(2, "p1"), phase(3, "p2")]


def test_phases_weigh_as_long_as_they_took() -> None:
    durations = past(p1=10, p2=60, p3=30)
    assert percents([0, 0, 0], CHAIN, durations) == 0
    assert percents([1, 0, 0], CHAIN, durations) == pytest.approx(10)
    assert percents([1, 0.5, 0], CHAIN, durations) == pytest.approx(40)
    assert percents([1, 1, 1], CHAIN, durations) == pytest.approx(100)


def test_declared_weights_are_set_beside_seconds_at_what_they_are_worth() -> None:
    """The two phases with a past took ten seconds for each unit of weight: so will the third."""
    plan = [phase(1, weight=1), phase(2, "p1", weight=3), phase(3, "p2", weight=6)]
    assert percents([1, 1, 0], plan, past(p1=10, p2=30)) == pytest.approx(40)


def test_phases_that_are_skipped_weigh_nothing() -> None:
    standings = [Standing(CHAIN[0], over=True, reached=0.5), Standing(CHAIN[1], skipped=True, weighs=False)]
    assert fraction_of(standings, past(p1=10, p2=60)) == pytest.approx(0.5)


def test_phases_that_took_no_time_weigh_as_much_as_each_other() -> None:
    assert percents([1, 0, 0], CHAIN, past(p1=0, p2=0, p3=0)) == pytest.approx(100 / 3)


def test_the_work_of_a_phase_weighs_it_and_those_after_it() -> None:
    """Twice the first phase's work: twice its time, and the second's too; the third has no work to scale by."""
    durations = past(p1=(10, 100), p2=(10, 100), p3=20)
    first = Standing(CHAIN[0], reached=0.5, work=200)
    rest = [Standing(each) for each in CHAIN[1:]]
    assert fraction_of([first, *rest], durations) == pytest.approx(0.5 * 20 / (20 + 20 + 20))


def test_what_is_done_stays_as_it_is_when_a_later_phase_turns_out_large() -> None:
    durations = past(p1=(10, 100), p2=(10, 100), p3=20)
    first = Standing(CHAIN[0], over=True, reached=1, work=100, worked=100)
    before = fraction_of([first, Standing(CHAIN[1]), Standing(CHAIN[2])], durations)
    large = Standing(CHAIN[1], work=100_000)
    assert before == fraction_of([first, large, Standing(CHAIN[2])], durations) == pytest.approx(0.25)
    half = Standing(CHAIN[1], work=100_000, reached=0.5)
    assert fraction_of([first, half, Standing(CHAIN[2])], durations) == pytest.approx(0.25 + 0.75 * 0.5, rel=1e-2)


def test_of_phases_at_the_same_time_none_changes_the_weight_of_the_other() -> None:
    plan = [phase(1), phase(2, "p1"), phase(3, "p1"), phase(4, "p2", "p3")]
    durations = past(p1=(10, 100), p2=(10, 100), p3=(10, 100), p4=(10, 100))
    first, left = (
        Standing(plan[0], over=True, reached=1, work=100, worked=100),
        Standing(plan[1], reached=0.5, work=100),
    )
    silent, spoke = Standing(plan[2]), Standing(plan[2], work=1e6)
    assert fraction_of([first, left, silent, Standing(plan[3])], durations) == fraction_of(
        [first, left, spoke, Standing(plan[3])], durations
    )


def test_a_plan_of_hundreds_of_phases_only_moves_on() -> None:
    """Each phase turns out to have as much work as it likes: what was reached stays reached."""
    plan = [phase(number, *([f"p{number - 1}"] if number > 1 else [])) for number in range(1, 201)]
    told = past(**{each.key: (1 + each.number % 7, 10.0) for each in plan})
    before = 0.0
    for ended in range(len(plan) + 1):
        standings = [
            Standing(each, reached=1, over=True, fraction=1, work=1 + each.number % 11, worked=1)
            if each.number <= ended
            else Standing(each)
            for each in plan
        ]
        now = fraction_of(standings, told)
        assert before <= now <= 1 + 1e-9
        before = now
    assert before == pytest.approx(1)
