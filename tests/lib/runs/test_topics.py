from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from lib.runs.changes import ChangeLog
from lib.runs.listing import RunList, RunSummary
from lib.runs.plan import Workflow
from lib.runs.status import Observed, RunState, RunStatus, derive
from lib.runs.topics import run_topic, runs_topic, view_topic

BEGUN = datetime(2026, 1, 1, 10, tzinfo=UTC)
ENDED = BEGUN + timedelta(minutes=5)


@pytest.fixture
def status(chain: Callable[[int], Workflow]) -> Callable[..., RunStatus]:
    """Make the status of a run of two phases, of which the first was begun."""

    def make(run: RunState, phase: RunState, seconds: float = 0) -> RunStatus:
        workflow = chain(2)

        def observed(run_id: str, flow: str, state: RunState) -> Observed:
            ended = ENDED if state.final else None
            return Observed(run_id=run_id, flow=flow, state=state, created=BEGUN, started=BEGUN, ended=ended)

        child = observed("1", workflow.flow_name(workflow.phases[0]), phase)
        return derive(workflow, observed("0", "work", run), [child], BEGUN + timedelta(seconds=seconds))

    return make


def test_a_run_is_a_row_and_each_of_its_phases_another(status: Callable[..., RunStatus]):
    found = status(RunState.RUNNING, RunState.RUNNING)
    rows = run_topic(found).rows
    assert list(rows) == ["run", "phase:p1", "phase:p2"]
    whole = {**rows["run"], "phases": [rows["phase:p1"], rows["phase:p2"]]}
    assert RunStatus.model_validate_json(orjson.dumps(whole)).model_dump(exclude={"phases"}) == found.model_dump(
        exclude={"phases"}
    )


def test_time_that_passes_changes_no_row(status: Callable[..., RunStatus]):
    log, last = ChangeLog(0), 0
    last = log.update(run_topic(status(RunState.RUNNING, RunState.RUNNING)).rows, last)
    for second in range(1, 60):
        assert log.update(run_topic(status(RunState.RUNNING, RunState.RUNNING, second)).rows, last) == last


def test_a_phase_that_ended_has_a_duration(status: Callable[..., RunStatus]):
    assert run_topic(status(RunState.RUNNING, RunState.COMPLETED)).rows["phase:p1"]["duration"] == 300.0


@pytest.mark.parametrize(
    ("run", "phase", "ended"),
    [
        (RunState.RUNNING, RunState.COMPLETED, False),
        (RunState.PENDING, RunState.PENDING, False),
        (RunState.PAUSED, RunState.RUNNING, False),
        (RunState.COMPLETED, RunState.COMPLETED, True),
        (RunState.CANCELLED, RunState.CANCELLED, True),
        (RunState.CANCELLED, RunState.RUNNING, False),
    ],
)
def test_a_run_has_ended_when_none_of_it_works_any_more(
    status: Callable[..., RunStatus], run: RunState, phase: RunState, ended: bool
):
    assert run_topic(status(run, phase)).ended is ended


def test_what_works_is_read_more_often_than_what_waits(status: Callable[..., RunStatus]):
    works = run_topic(status(RunState.RUNNING, RunState.RUNNING)).again
    assert works <= 0.5
    assert run_topic(status(RunState.PENDING, RunState.PENDING)).again > works
    assert run_topic(status(RunState.CANCELLED, RunState.RUNNING)).again == works


def test_the_list_has_a_row_for_each_run_and_never_ends():
    def summary(number: int, state: RunState, duration: float) -> RunSummary:
        ended = ENDED if state.final else None
        return RunSummary(
            run_id=str(number), workflow="work", subject="box", state=state, ended=ended, duration=duration
        )

    runs = [summary(2, RunState.RUNNING, 12.5), summary(1, RunState.COMPLETED, 12.5)]
    reading = runs_topic(RunList(items=runs, total=2))
    assert list(reading.rows) == ["2", "1"]
    assert [row["duration"] for row in reading.rows.values()] == [None, 12.5]
    assert not reading.ended
    assert reading.again < runs_topic(RunList(items=runs[1:], total=1)).again


def test_what_a_run_shows_stands_beside_its_rows_and_never_ends(status: Callable[..., RunStatus]):
    shown = {"totals": {"total": 3}}
    for found in (status(RunState.RUNNING, RunState.RUNNING), status(RunState.COMPLETED, RunState.COMPLETED)):
        alone, reading = run_topic(found), view_topic(found, shown)
        assert reading.rows == {**alone.rows, **shown}
        assert reading.again == alone.again
        assert not reading.ended, "a newer run may come"


def test_before_the_first_run_a_view_is_all_there_is():
    reading = view_topic(None, {})
    assert (reading.rows, reading.ended) == ({}, False)
