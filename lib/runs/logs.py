"""The logs of a run with all of its children in one ordered view, read from Prefect's server."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from lib.errors import InputError
from lib.runs.plan import Workflow
from lib.runs.reader import find_run, id_of
from lib.runs.server import PAGE, LogRow, PrefectClient, children_of, flow_names, logs

LATE = timedelta(seconds=10)
"""How much later than its own time a line may come to the server and still be given to who follows a run. Each process
hands its lines over every two seconds, so those of two processes do not come in the order of their times."""
REMEMBERED = 400
"""How many lines a cursor knows to have been given; where more came within LATE, the oldest wait for no late ones."""
LEVELS = ("debug", "info", "warning", "error", "critical")

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TAIL = 6
"""Bytes of an id that a cursor holds: its random end, of which two are alike once in a hundred million cursors."""
_UNSEEN = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\N{REPLACEMENT CHARACTER}")
"""Characters that steer a terminal; a line break and a tab are none."""


class LogLine(BaseModel):
    """One line of a log."""

    id: str
    time: datetime
    level: str
    phase: str = Field(description="Key of the phase; empty for the orchestrator.")
    message: str

    def __str__(self) -> str:
        """Return the line as text, without what would steer a terminal."""
        said = self.message.translate(_UNSEEN)
        return f"{self.time.isoformat(' ', 'milliseconds')} {self.level.upper():<8} {self.phase or '-':<10} {said}"


class LogPage(BaseModel):
    """Lines in the order of their times."""

    lines: list[LogLine]
    next: str = Field(description="The cursor after these lines: gives what follows, or will, to the same question.")
    more: bool = Field(description="Whether more lines are there already.")


async def read_logs(
    client: PrefectClient,
    run_id: str,
    workflows: Mapping[str, Workflow],
    *,
    phases: Collection[str] = (),
    level: str = "info",
    after: str = "",
    limit: int = PAGE,
) -> LogPage:
    """Return the lines of a run and its children, at least as grave as `level`, in the order of their times.

    `phases` are keys of phases, or "" for the orchestrator; all when empty. With the cursor of the page before as
    `after`, no line is given twice, and one that comes late is given late, unless it comes more than LATE late. Takes
    three calls and one more per 200 children or lines. Raises RunNotFoundError as `read_status` does, and InputError
    for a phase, a level or a cursor that is none.
    """
    cursor = _Cursor.read(after)
    return await _page(client, await _sources(client, run_id, workflows, phases, level), cursor, limit)


async def stream_logs(
    client: PrefectClient,
    run_id: str,
    workflows: Mapping[str, Workflow],
    *,
    phases: Collection[str] = (),
    level: str = "info",
) -> AsyncIterator[str]:
    """Give the whole log as text, as it is now, a piece per page; raises as `read_logs` does, before the first."""
    sources = await _sources(client, run_id, workflows, phases, level)
    cursor, more = "", True
    while more:
        page = await _page(client, sources, _Cursor.read(cursor), PAGE)
        cursor, more = page.next, page.more
        yield "".join(f"{line}\n" for line in page.lines)


@dataclass(frozen=True)
class _Sources:
    """Whose lines are asked for, and which."""

    phases: Mapping[UUID, str]
    level: int


async def _sources(
    client: PrefectClient, run_id: str, workflows: Mapping[str, Workflow], phases: Collection[str], level: str
) -> _Sources:
    if level.lower() not in LEVELS:
        raise InputError(f"There is no level {level!r}: the levels are {', '.join(LEVELS)}.")
    wanted = await id_of(client, run_id, workflows)
    (run, workflow), children = await asyncio.gather(
        find_run(client, str(wanted), workflows), children_of(client, wanted)
    )
    keys = [phase.key for phase in workflow.phases]
    if strange := sorted(set(phases) - {"", *keys}):
        raise InputError(f"{workflow.name} has no phase {strange[0]!r}: its phases are {', '.join(keys)}.")
    names = await flow_names(client, (child.flow_id for child in children))
    by_flow = {workflow.flow_name(phase): phase.key for phase in workflow.phases}
    found = {run.id: ""} | {child.id: by_flow.get(names.get(child.flow_id, ""), child.name) for child in children}
    asked = {each: phase for each, phase in found.items() if not phases or phase in phases}
    return _Sources(asked, logging.getLevelNamesMapping()[level.upper()])


async def _page(client: PrefectClient, sources: _Sources, cursor: "_Cursor", limit: int) -> LogPage:
    now = datetime.now(UTC)
    known: list[LogRow] = []
    new: list[LogRow] = []
    offset, everything = 0, not sources.phases
    filters = {
        "flow_run_id": {"any_": [str(each) for each in sources.phases]},
        "level": {"ge_": sources.level},
        "timestamp": {"after_": cursor.since.isoformat()},
    }
    limit = max(1, min(limit, PAGE))
    while len(new) <= limit and not everything:
        rows = await logs(client, filters, limit=PAGE, offset=offset)
        for row in rows:
            (known if _tail(row) in cursor.given else new).append(row)
        offset += len(rows)
        everything = len(rows) < PAGE
    given = new[:limit]
    return LogPage(
        lines=[
            LogLine(
                id=str(row.id),
                time=row.timestamp,
                level=logging.getLevelName(row.level).lower(),
                phase=sources.phases.get(row.flow_run_id, "") if row.flow_run_id else "",
                message=row.message,
            )
            for row in given
        ],
        next=cursor.after([*known, *given], given, now).written(),
        more=len(new) > limit,
    )


@dataclass(frozen=True)
class _Cursor:
    """Where a reader of logs is: what is older than `since` was given or never will be, what is in `given` was too."""

    since: datetime = _EPOCH
    given: frozenset[bytes] = frozenset()

    def after(self, read: Sequence[LogRow], given: Sequence[LogRow], now: datetime) -> "_Cursor":
        """Return the cursor after `given` lines; `read` are all that were given now or before, and read now."""
        if not given:
            return self
        # What was given before and not read now comes later than all that was.
        later = self.given.difference(map(_tail, read))
        newest = given[-1].timestamp
        since = max(self.since, min(newest, now - LATE))
        kept = sorted((row.timestamp, _tail(row)) for row in read if row.timestamp >= since)
        if (surplus := len(kept) + len(later) - REMEMBERED) > 0:
            since = min(kept[min(surplus, len(kept)) - 1][0] + _MICROSECOND, newest)
        return _Cursor(since, later.union(tail for time, tail in kept if time >= since))

    def written(self) -> str:
        """Return the cursor as text that goes into an address as it is."""
        if self == _Cursor():
            return ""
        moment = (self.since - _EPOCH) // _MICROSECOND
        return base64.urlsafe_b64encode(moment.to_bytes(8, "big") + b"".join(sorted(self.given))).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the cursor that was written so; the beginning for an empty one, InputError for what is none."""
        if not text:
            return cls()
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            since = _EPOCH + int.from_bytes(data[:8], "big") * _MICROSECOND
        except (ValueError, OverflowError):
            data = b""
        if len(data) < 8 or (len(data) - 8) % _TAIL:
            raise InputError("This place in the log (after) is none that was given out: leave it away.")
        return cls(since, frozenset(data[start : start + _TAIL] for start in range(8, len(data), _TAIL)))


def _tail(row: LogRow) -> bytes:
    return row.id.bytes[-_TAIL:]
