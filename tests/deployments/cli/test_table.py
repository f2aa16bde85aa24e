from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from deployments.cli.table import clock, ending, run_table
from lib.runs.status import RunState, RunStatus


def status(**fields: object) -> RunStatus:
    told = {"state": RunState.RUNNING, "progress": 50, "counts": {}, "phases": [], **fields}
    return RunStatus.model_validate({"run_id": "1", "workflow": "toy", "subject": "box", **told})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0, "0.0 s"), (4.24, "4.2 s"), (65, "1:05"), (605, "10:05"), (7269, "2:01:09"), (36000, "10:00:00")],
)
def test_a_duration_reads_as_people_say_it(seconds: float | None, words: str) -> None:
    assert clock(seconds) == words


def test_a_run_at_work_says_when_it_is_thought_to_end_and_what_that_rests_on() -> None:
    soon = datetime.now(UTC) + timedelta(minutes=2)
    words = ending(status(estimated_end=soon, basis="median of 12 runs"))
    assert words.startswith(f"ends about {soon.astimezone():%H:%M:%S}, in ")
    assert words.endswith(" (median of 12 runs)")


def test_an_end_that_is_overdue_is_due_now() -> None:
    assert ", in 0.0 s" in ending(status(estimated_end=datetime.now(UTC) - timedelta(minutes=2), basis="its pace"))


def test_an_end_on_another_day_has_its_date() -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    assert f"ends about {later.astimezone():%Y-%m-%d %H:%M}, in" in ending(status(estimated_end=later))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"stopping": True}, "it was asked to stop"),
        ({"state": RunState.CRASHED, "message": "its process died"}, "crashed: its process died"),
    ],
)
def test_without_an_estimate_it_says_what_there_is(fields: dict[str, object], words: str) -> None:
    assert ending(status(**fields)) == words


def test_a_name_from_outside_does_not_steer_the_terminal() -> None:
    phase = {"number": 1, "key": "a", "name": "A", "state": "running", "item": "\x1b[2Jfilm\u202e.mp4"}
    console = Console(width=120, record=True, file=StringIO())
    console.print(run_table(status(subject="\x1b]0;box\x07", message="\x9b1m", phases=[phase])))
    told = console.export_text()
    assert "film" in told
    assert not any(sign in told for sign in "\x1b\x07\x9b\u202e")
