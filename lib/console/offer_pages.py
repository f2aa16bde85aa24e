"""The pages of offers: the table, the offers of a cell of it, and the form of a run."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from lib.console.api import actions
from lib.console.api.offers import Source, Status, listed
from lib.console.api.paging import fitting
from lib.console.context import Here
from lib.console.forms import fields_of
from lib.console.offers import KEY, read_offers
from lib.console.pages import Page
from lib.console.problems import ProblemError
from lib.console.rendering import render
from lib.console.spine import lay_out

GIVEN = ("mail", "store", "profile")
"""What a run may be told to work on."""
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
        page=KEY,
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
        page=KEY,
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
    given = {name: now.parameters.get(name) for name in GIVEN}
    return await render(
        request,
        "offer_start.html",
        page=KEY,
        styles=["ask.css"],
        given={name: value if isinstance(value, str) else "" for name, value in given.items()},
    )


@router.post("/offers/start")
async def start(request: Request, console: Here) -> Response:
    """Start a run on what the form says, or else the settings, and show the table."""
    if KEY not in console.workflows:
        raise ProblemError(404, "The workflow offers is not known here.")
    fields = await fields_of(request)
    parameters: dict[str, Any] = {name: fields[name][0].strip() for name in GIVEN if fields.get(name, [""])[0].strip()}
    if "look" in fields:
        parameters["look"] = True
    await actions.start(console, actions.Order(workflow=KEY, parameters=parameters), Response())
    return RedirectResponse("/offers", 303)
