"""The page of a run in Markdown."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.page import bar, phases_markdown
from lib.runs.past import PastPhase, PastRun
from lib.runs.plan import Phase, Workflow
from lib.runs.progress import ProgressRecord
from lib.runs.status import Observed, RunState, derive

WORKFLOW = Workflow(
    "toy",
    "Toy",
    "toys:toy",
    (Phase(1, "first", "First", "toys:first", "base"), Phase(2, "second", "Second", "toys:second", "base")),
)


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOURCE = "a *source*"


def page(record: ProgressRecord, message: str = "") -> str:
    root = Observed(run_id="r", flow="toy", name="toy", state=RunState.RUNNING)
    first = Observed(run_id="a", flow="toy-first", state=RunState.RUNNING, message=message, progress=record)
    return phases_markdown(derive(WORKFLOW, root, [first], NOW, subject=SOURCE))


def test_phases_are_told_in_their_order_with_their_progress() -> None:
    text = page(ProgressRecord(done=1, total=4, percent=25, item="b.mp4 10/40"))
    first, second = (line for line in text.splitlines() if line.startswith(("| 1", "| 2")))
    assert "`██░░░░░░░░` 25 %" in first
    assert "| 1/4 |" in first
    assert "b.mp4 10/40" in first
    assert "| pending |" in second


def test_the_end_is_told_with_what_it_rests_on() -> None:
    root = Observed(run_id="r", flow="toy", state=RunState.RUNNING, started=NOW)
    told = {key: PastPhase(seconds=90) for key in ("first", "second")}
    past = [PastRun(run_id="past", ended=NOW, phases=told)]
    text = phases_markdown(derive(WORKFLOW, root, [], NOW, subject=SOURCE, past=past))
    assert "**running**, 0 %, ends about 2026-01-01 12:01:30 UTC (median of 1 run)" in text


def test_a_run_that_is_asked_to_stop_and_one_that_crashed_say_so() -> None:
    root = Observed(run_id="r", flow="toy", state=RunState.RUNNING, stopping=True, attempt=2)
    first = Observed(run_id="a", flow="toy-first", state=RunState.CRASHED, message="Its process died", of_attempt=2)
    text = phases_markdown(derive(WORKFLOW, root, [first], NOW))
    assert "**running, stopping, attempt 2**, 0 %\n" in text
    assert "| 1 First | crashed |" in text
    assert "Its process died" in text


def test_the_name_of_a_source_is_no_markup() -> None:
    assert "# a &#42;source&#42;" in page(ProgressRecord())


@given(item=st.text())
def test_whatever_an_item_is_called_the_table_keeps_its_columns(item: str) -> None:
    rows = [line for line in page(ProgressRecord(total=1, item=item)).split("\n") if line.startswith("|")]
    assert {row.count("|") for row in rows} == {7}


@pytest.mark.parametrize(("percent", "full"), [(0, 0), (9.9, 0), (10, 1), (99.9, 9), (100, 10)])
def test_a_bar_is_full_only_at_the_end(percent: float, full: int) -> None:
    assert bar(percent) == "█" * full + "░" * (10 - full)
