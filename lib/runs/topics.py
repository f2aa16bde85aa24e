"""What is told live about runs: a topic for each run, one for the list of the newest, one for what they show; pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from lib.runs.changes import Row
from lib.runs.listing import RunList
from lib.runs.live import Reading
from lib.runs.status import RunState, RunStatus

SECONDS_WHILE_IT_WORKS = 0.2
"""No event of Prefect says that a phase wrote its progress, which it does twice a second: with this it is told within
a second of the work."""
SECONDS_WHILE_IT_WAITS = 2.0
SECONDS_WHEN_IT_ENDED = 5.0
SECONDS_BETWEEN_LISTS = 1.0


def run_topic(status: RunStatus) -> Reading:
    """Return the rows of one run: `run`, without its phases, and whether it is over; `phase:KEY`, each phase."""
    rows: dict[str, Row] = {"run": {**_row(status, without={"phases"}), "over": status.over}}
    rows |= {f"phase:{phase.key}": _row(phase) for phase in status.phases}
    if status.over:
        return Reading(rows, ended=True, again=SECONDS_WHEN_IT_ENDED)
    working = RunState.RUNNING in {status.state, *(phase.state for phase in status.phases)}
    return Reading(rows, again=SECONDS_WHILE_IT_WORKS if working else SECONDS_WHILE_IT_WAITS)


def runs_topic(runs: RunList) -> Reading:
    """Return the rows of the list of the newest runs: one for each, by its id."""
    working = any(run.state is RunState.RUNNING for run in runs.items)
    rows = {run.run_id: _row(run) for run in runs.items}
    return Reading(rows, again=SECONDS_BETWEEN_LISTS if working else SECONDS_WHEN_IT_ENDED)


def view_topic(status: RunStatus | None, view: Mapping[str, Row]) -> Reading:
    """Return the rows of the newest run, as `run_topic` does, beside those of a view; a newer run may always come."""
    if status is None:
        return Reading(view, again=SECONDS_WHEN_IT_ENDED)
    reading = run_topic(status)
    return replace(reading, rows={**reading.rows, **view}, ended=False)


def _row(model: BaseModel, without: set[str] | None = None) -> Row:
    """Return a model as a row: what has not ended has no duration there, which would change at every reading."""
    row: dict[str, Any] = model.model_dump(mode="json", exclude=without)
    if "duration" in row and row.get("ended") is None:
        row["duration"] = None
    return row
