"""GET /api/v1/offers: the table of offers, and the offers of a cell of it, to read and to download."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from lib.console.api.paging import MOST, fitting
from lib.console.context import Console, Here
from lib.console.items import find_items
from lib.console.offers import Offers, OfferTable, read_offers
from lib.console.problems import ProblemError, declared
from lib.offers.statuses import Status as OfferStatus
from lib.offers.table_csv import as_csv
from lib.runs.items import Item
from lib.runs.status import RunStatus

router = APIRouter(prefix="/api/v1/offers", tags=["offers"])

ITEMS = 100
"""Offers that are asked for when nobody says how many."""
DOWNLOADED = 5000
"""Most offers of a download."""
TEXT = 300
"""Longest text of an offer that is shown, in characters."""
REASONS = 1200
"""Longest reasons that are shown, in characters."""


class OffersNow(BaseModel):
    """The newest run, and the newest table that a run showed."""

    run: RunStatus | None = Field(description="The newest run; null when there is none.")
    table: OfferTable | None = Field(description="Null until a run has loaded it.")
    table_run: str = Field(description="The id of the run that shows the table.")


class OfferItem(BaseModel):
    """An offer; long texts are cut."""

    title: str = ""
    company: str = ""
    place: str = ""
    score: float | None = Field(default=None, description="From 0 to 100.")
    reasons: str = Field(default="", description="A line per criterion.")
    note: str = Field(default="", description="What happened to it.")
    link: str = Field(default="", description="Its own address; empty unless it begins with http:// or https://.")
    host: str = Field(default="", description="The site that the link leads to.")
    status: str = ""
    source: str = ""
    published: str = ""


class OfferList(BaseModel):
    """Offers of a cell of the table, or of several."""

    items: list[OfferItem]
    total: int = Field(description="How many there are, as the table says.")


Source = Annotated[str, Query(max_length=200, description="Only of this source; of all when empty.")]
Status = Annotated[str, Query(max_length=200, description="Only with this status; with any when empty.")]


@router.get("", responses=declared(404, 503))
async def offers(console: Here) -> OffersNow:
    """Tell how the newest run stands, and how many offers of each source have each status."""
    now = await read_offers(console)
    return OffersNow(run=now.status, table=now.table, table_run=now.run_id)


BEST_FIRST = (
    OfferStatus.ANALYSED, OfferStatus.TO_ANALYSE, OfferStatus.TO_COMPLETE, OfferStatus.ERROR, OfferStatus.EXPIRED,
    OfferStatus.IGNORED, OfferStatus.OTHER,
)  # fmt: skip
"""The statuses of offers. What is to be imported is alerts in the mailbox: no store has them."""


@router.get("/items", responses=declared(404, 502, 503, 504))
async def items(
    console: Here,
    source: Source = "",
    status: Status = "",
    limit: Annotated[int | None, Query(ge=1, le=MOST, description="Offers; as many as fit, when not given.")] = None,
) -> OfferList:
    """List offers, the best first: the analysed ones by their score, then those to analyse, to complete, in error,
    expired, ignored, other. They are read from the store, which may take seconds.
    """
    page = await listed(console, await read_offers(console), source, status, limit or ITEMS)
    return page if limit else page.model_copy(update={"items": page.items[: fitting(page.items)]})


@router.get(
    "/items.csv",
    response_class=Response,
    responses={
        200: {"description": "The offers.", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **declared(404, 502, 503, 504),
    },
)
async def items_csv(console: Here, source: Source = "", status: Status = "") -> Response:
    """Give offers as a table to keep, in the order of the list; nothing in it is a formula."""
    found = await _found(console, await read_offers(console), source, status, DOWNLOADED)
    return Response(
        as_csv(found).encode(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="regie-offers.csv"'},
    )


async def listed(console: Console, now: Offers, source: str, status: str, limit: int) -> OfferList:
    """Return offers as they are shown, and how many there are."""
    found = await _found(console, now, source, status, limit)
    counted = sum(count for _, count in _cells(now.table, source, status)) if now.table else 0
    return OfferList(items=[item_of(each) for each in found], total=max(counted, len(found)))


def item_of(item: Mapping[str, Any]) -> OfferItem:
    """Return an offer as it is shown, whatever stands in its fields."""
    texts = {name: _text(item.get(name), REASONS if name == "reasons" else TEXT) for name in OfferItem.model_fields}
    link = str(item.get("link") or "")
    host = _host(link)
    score = item.get("score")
    known = isinstance(score, int | float) and 0 <= score <= 100
    return OfferItem.model_validate(
        {**texts, "score": score if known else None, "link": link if host else "", "host": host[:TEXT]}
    )


async def _found(console: Console, now: Offers, source: str, status: str, limit: int) -> Sequence[Item]:
    if now.table is None:
        raise ProblemError(404, "No run has loaded the table of offers yet.")
    wanted = [{"source": source, "status": each} for each, count in _cells(now.table, source, status) if count]
    return await find_items(now.workflow, now.parameters, wanted, limit)


def _cells(table: OfferTable, source: str, status: str) -> Iterator[tuple[str, int]]:
    """Give the statuses that are meant, each with its count, the best first."""
    columns = [column.status for column in table.columns]
    counts = {name: cell.count for name, cell in zip(columns, table.row(source).cells, strict=True)}
    for each in [status] if status else BEST_FIRST:
        if each in counts:
            yield each, counts[each]


def _text(value: object, length: int) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= length else f"{text[:length]}…"


def _host(link: str) -> str:
    """Return the host of an address that may be followed; empty for any other."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    allowed = parts.scheme in {"http", "https"} and len(link) <= 2000 and link.isprintable()
    return (parts.hostname or "") if allowed else ""
