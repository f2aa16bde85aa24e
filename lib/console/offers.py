"""The table of offers, as the newest run that has one publishes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from lib.console.context import Console
from lib.console.problems import ProblemError
from lib.runs.changes import Row
from lib.runs.family import observe
from lib.runs.plan import Workflow
from lib.runs.status import RunStatus
from lib.runs.view import read_shown

KIND = "offers"
"""The kind of these views."""
LENGTH = 200
"""Longest name of a source, a status, a store or a mailbox that is shown, in characters."""
REASON = 300
"""Longest reason of a failure, in characters."""
ROWS = 200
"""Most sources that are shown."""
NAMED = 50
"""Most failures, and messages left alone, that are named."""
TOLD = 3
"""So many of them are shown; the run's log says all."""


def _at_most(length: int) -> BeforeValidator:
    """What cuts a text or a list that is longer."""
    return BeforeValidator(lambda given: given[:length] if isinstance(given, str | list) else given)


Name = Annotated[str, _at_most(LENGTH)]
Reason = Annotated[str, _at_most(REASON)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Moment = Annotated[datetime, AfterValidator(lambda when: when if when.tzinfo else when.replace(tzinfo=UTC))]


class Column(BaseModel):
    """A status."""

    status: Name
    name: Name = Field(description="What the user calls it.")


class Cell(BaseModel):
    """How many offers of a source have a status."""

    count: Count = 0
    pending: Count = Field(default=0, description="How many more once the store has acknowledged them.")


class SourceRow(BaseModel):
    """The offers of a source, or of all."""

    source: Name = Field(description="Empty for all.")
    cells: list[Cell] = Field(description="One per column.")
    total: Count


class Calls(BaseModel):
    """How often the store was asked."""

    reads: Count = 0
    writes: Count = 0


class Spent(BaseModel):
    """What the analyses used up."""

    tokens: Count = 0
    cost: Annotated[float, Field(ge=0, le=10**9)] | None = Field(
        default=None, description="In the currency of the prices that the settings state."
    )


class Failure(BaseModel):
    """What a phase could not do."""

    phase: Name = Field(description="Its key.")
    file: Name = Field(description="What it worked on: a message, or an offer.")
    reason: Reason


class LeftAlone(BaseModel):
    """A message that only claimed to be an alert."""

    name: Name
    reason: Reason


class OfferTable(BaseModel):
    """Offers by source and status, with totals both ways."""

    kind: Literal["offers"] = Field(exclude=True)
    at: Moment | None = Field(default=None, description="When it was loaded.")
    over: bool = Field(default=False, description="Whether the run that shows it is over: nothing changes any more.")
    store: Name = ""
    mail: Name = ""
    columns: list[Column] = Field(min_length=1, max_length=50)
    rows: Annotated[list[SourceRow], _at_most(ROWS)]
    totals: SourceRow
    calls: Calls = Calls()
    spent: Spent = Spent()
    failed: Count = Field(default=0, description="How many failures there are.")
    failures: Annotated[list[Failure], _at_most(NAMED)] = Field(default=[], description="The first of them.")
    left_alone: Annotated[list[LeftAlone], _at_most(NAMED)] = []

    @model_validator(mode="after")
    def _fits(self) -> "OfferTable":
        if any(len(row.cells) != len(self.columns) for row in (*self.rows, self.totals)):
            raise ValueError("a row has not one cell per column")
        return self

    def row(self, source: str) -> SourceRow:
        """Return the row of a source, the totals for an empty one; a blank row for one that is not there."""
        if not source:
            return self.totals
        blank = SourceRow(source=source, cells=[Cell() for _ in self.columns], total=0)
        return next((row for row in self.rows if row.source == source), blank)

    def name(self, status: str) -> str:
        """Return what a status is called."""
        return next((column.name for column in self.columns if column.status == status), status)


@dataclass(frozen=True)
class Offers:
    """What there is to know of offers now."""

    workflow: Workflow
    status: RunStatus | None
    """Of the newest run."""
    table: OfferTable | None
    run_id: str
    """The run that shows the table; empty when there is none."""
    parameters: Mapping[str, Any]
    """Of that run."""

    def rows(self) -> dict[str, Row]:
        """Return the table as rows to be told live: `source:NAME` (quoted as in a URL), `totals`, `table`.

        And what went wrong, `failures` and `left_alone`: how many, and the first.
        """
        if self.table is None:
            return {}
        phases = {phase.key: phase.name for phase in self.workflow.phases}
        return {**dict(_rows(self.table, self.run_id)), **_told(self.table, phases)}


async def read_offers(console: Console) -> Offers:
    """Return the newest run and the newest table; ProblemError when no workflow here has such."""
    workflow = next((each for each in console.workflows.values() if each.view == KIND), None)
    if workflow is None:
        raise ProblemError(404, "No workflow that is known here shows offers.")
    shown = await read_shown(console.client, workflow, understand)
    table, run = shown.view, shown.run
    if table is None or run is None:
        return Offers(workflow, shown.status, None, "", {})
    table = table.model_copy(update={"at": table.at or run.start_time})
    if table.over or observe(run, workflow.key).state.final:
        table = _settled(table)
    return Offers(workflow, shown.status, table, str(run.id), run.parameters)


def understand(document: Mapping[str, Any]) -> OfferTable | None:
    """Return a view as a table; None when it is another's or damaged."""
    try:
        return OfferTable.model_validate(document)
    except ValidationError:
        return None


def _settled(table: OfferTable) -> OfferTable:
    """Return a table of which nothing is acknowledged any more: its run is over, or died."""

    def still(row: SourceRow) -> SourceRow:
        return row.model_copy(update={"cells": [Cell(count=cell.count) for cell in row.cells]})

    return table.model_copy(update={"over": True, "rows": [*map(still, table.rows)], "totals": still(table.totals)})


def _rows(table: OfferTable, run_id: str) -> Iterator[tuple[str, Row]]:
    for row in sorted(table.rows, key=lambda each: each.source.casefold()):
        yield f"source:{quote(row.source, safe='', errors='replace')}", row.model_dump(mode="json")
    yield "totals", table.totals.model_dump(mode="json")
    about = table.model_dump(mode="json", exclude={"rows", "totals", "failures", "left_alone"})
    yield "table", {**about, "run_id": run_id, "sources": len(table.rows)}


def _told(table: OfferTable, phases: Mapping[str, str]) -> dict[str, Row]:
    failures = [
        {"about": f"{phases.get(each.phase, each.phase)} · {each.file}", "reason": each.reason}
        for each in table.failures[:TOLD]
    ]
    left = [{"about": each.name, "reason": each.reason} for each in table.left_alone[:TOLD]]
    return {
        "failures": {"count": max(table.failed, len(table.failures)), "items": failures},
        "left_alone": {"count": len(table.left_alone), "items": left},
    }
