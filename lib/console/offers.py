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

KEY = "offers"
"""Key of the workflow, and what its views are called."""
LENGTH = 200
"""Longest name of a source, a status, a store or a mailbox that is shown, in characters."""
ROWS = 200
"""Most sources that are shown."""

Name = Annotated[str, BeforeValidator(lambda given: given[:LENGTH] if isinstance(given, str) else given)]
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


class OfferTable(BaseModel):
    """Offers by source and status, with totals both ways."""

    kind: Literal["offers"] = Field(exclude=True)
    at: Moment | None = Field(default=None, description="When it was loaded.")
    over: bool = Field(default=False, description="Whether the run that shows it is over: nothing changes any more.")
    store: Name = ""
    mail: Name = ""
    columns: list[Column] = Field(min_length=1, max_length=50)
    rows: Annotated[list[SourceRow], BeforeValidator(lambda rows: rows[:ROWS] if isinstance(rows, list) else rows)]
    totals: SourceRow
    calls: Calls = Calls()

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
        """Return the table as rows to be told live: `source:NAME` (quoted as in a URL), `totals`, `table`."""
        return dict(_rows(self.table, self.run_id)) if self.table else {}


async def read_offers(console: Console) -> Offers:
    """Return the newest run and the newest table; ProblemError when there is no such workflow here."""
    workflow = console.workflows.get(KEY)
    if workflow is None:
        raise ProblemError(404, "The workflow offers is not known here.")
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
    about = table.model_dump(mode="json", exclude={"rows", "totals"})
    yield "table", {**about, "run_id": run_id, "sources": len(table.rows)}
