"""The pages of offers: the table, the offers of a cell of it, and the form of a run."""

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from lib.console.api.offer_start import PLACES, OfferOrder, start_offers
from lib.console.api.offers import Source, Status, listed
from lib.console.api.paging import fitting
from lib.console.context import Here
from lib.console.forms import fields_of
from lib.console.offers import KIND, read_offers
from lib.console.pages import Page
from lib.console.rendering import render
from lib.console.spine import lay_out

ITEMS_ON_A_PAGE = 50
BYTES_OF_ITEMS = 9_000
"""So many keep the page below 50 kB, styles and scripts included."""

router = APIRouter(route_class=Page, include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/offers")
async def offers(request: Request, console: Here) -> Response:
    """Show the newest run and the table of offers."""
    now = await read_offers(console)
    status = now.status
    run = {**status.model_dump(mode="json"), "over": status.over} if status else None
    return await render(
        request,
        "offers.html",
        page=KIND,
        styles=["spine.css", "offers.css", *([] if status else ["table.css"])],
        script="offers.js",
        run=run,
        phases={each["key"]: each for each in run["phases"]} if run else {},
        spine=lay_out(status.phases) if status else None,
        table=now.rows(),
    )


@router.get("/offers/list")
async def offer_list(request: Request, console: Here, source: Source = "", status: Status = "") -> Response:
    """Show the offers of a cell of the table: of a source, with a status, or of all."""
    now = await read_offers(console)
    found = await listed(console, now, source, status, ITEMS_ON_A_PAGE)
    shown = found.items[: fitting(found.items, BYTES_OF_ITEMS)]
    return await render(
        request,
        "offer_list.html",
        page=KIND,
        styles=["offer_list.css"],
        source=source,
        chosen=status,
        name=now.table.name(status) if now.table and status else "",
        items=[each.model_dump() for each in shown],
        total=found.total,
    )


@router.get("/offers/start")
async def ask(request: Request, console: Here) -> Response:
    """Ask what a run is to work on, where no script opens a dialogue; what the one of the table had is filled in."""
    now = await read_offers(console)
    given = {name: now.parameters.get(name) for name in PLACES}
    return await render(
        request,
        "offer_start.html",
        page=KIND,
        styles=["ask.css"],
        given={name: value if isinstance(value, str) else "" for name, value in given.items()},
    )


@router.post("/offers/start")
async def start(request: Request, console: Here) -> Response:
    """Start a run as the form says, and show the table."""
    fields = await fields_of(request)
    given = {name: fields[name][0] for name in PLACES if name in fields}
    try:
        order = OfferOrder.model_validate({**given, "look": "look" in fields})
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
    await start_offers(console, Response(), order)
    return RedirectResponse("/offers", 303)
