"""POST /api/v1/offers/start: start a run like that of the table, or on other mail."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from lib.console.api import actions
from lib.console.context import Here
from lib.console.offers import Offers, read_offers
from lib.console.problems import declared
from lib.offers.defaults import SERVICES, place
from lib.storage.address import is_url

router = APIRouter(prefix="/api/v1/offers", tags=["offers"])

PLACES = ("mail", "store", "profile")
"""What a run may be told to work on."""

Place = Annotated[str | None, Field(max_length=2000)]


class OfferOrder(BaseModel):
    """What a run is to work on.

    When neither of the places is given, it works as the run did that shows the table: with its options too. What is
    not given beside others, or is empty, is as the settings say.
    """

    model_config = ConfigDict(extra="forbid")

    mail: Place = Field(default=None, description="A whole path (`~` is the console's home folder), or `imap`.")
    store: Place = Field(default=None, description="A whole path of a SQLite file, or `airtable`.")
    profile: Place = Field(default=None, description="A whole path of a TOML file.")
    look: bool = Field(default=False, description="Only load the table.")


@router.post("/start", status_code=201, responses=declared(400, 403, 404, 409, 413, 503))
async def start_offers(
    console: Here, response: Response, order: Annotated[OfferOrder | None, Body()] = None
) -> actions.StartedRun:
    """Start a run; it waits for a worker, and its status is at the address in `Location`."""
    order = order or OfferOrder()
    now = await read_offers(console)
    parameters = _parameters(now, order) | ({"look": True} if order.look else {})
    return await actions.start(console, actions.Order(workflow=now.workflow.key, parameters=parameters), response)


def _parameters(now: Offers, order: OfferOrder) -> dict[str, Any]:
    given = order.model_dump(include=set(PLACES), exclude_none=True)
    if not given:
        given = {name: now.parameters[name] for name in (*PLACES, "options") if now.parameters.get(name)}
    placed = {name: _placed(name, value) if name in PLACES else value for name, value in given.items()}
    return {name: value for name, value in placed.items() if value}


def _placed(name: str, value: object) -> str:
    text = str(value).strip()
    if text and text not in SERVICES and not is_url(text):
        try:
            whole = Path(text).expanduser().is_absolute()
        except RuntimeError as error:
            raise actions.wrong(name, f"{text} begins with the home folder of nobody that is known here.") from error
        if not whole:
            raise actions.wrong(
                name, f"{text} could be in any folder: give the whole path, which begins with / or with ~/."
            )
    return place(text) if text else ""
