"""The orchestrator of `offers`."""

from pathlib import Path
from typing import Annotated, Any

from prefect import State
from prefect.runtime import flow_run as runtime
from prefect.states import Completed, Failed
from pydantic import Field

from flows.offers.desk import Desk, desk
from flows.orchestration import run_phases, verdict, workflow_flow
from flows.page import RunPage
from lib import containers
from lib.errors import InputError, UnavailableError
from lib.offers.defaults import SERVICES
from lib.offers.options import OffersOptions
from lib.offers.plan import OFFERS
from lib.offers.shown import markdown, used_in_words
from lib.runs.plan import PlanError
from lib.storage.location import Location

PhaseNumber = Annotated[int, Field(ge=OFFERS.phases[0].number, le=OFFERS.phases[-1].number, title="Phase")]


def _run_name() -> str:
    return f"offers · {Path(runtime.parameters['mail']).name}"


@workflow_flow("offers", _run_name)
def offers_pipeline(
    mail: Location,
    store: Location,
    profile: str,
    options: OffersOptions | None = None,
    only: list[PhaseNumber] | None = None,
    first: PhaseNumber | None = None,
    last: PhaseNumber | None = None,
    look: bool = False,
    inline: bool = False,
) -> State[Any]:
    """From alerts in a mailbox to offers in a table, completed and scored.

    Args:
        mail: A folder or file of messages, or `imap` for the account of the block.
        store: A SQLite file, or `airtable` for the base that the settings name.
        profile: What the seeker looks for: a TOML file of criteria.
        options: How each phase does its work, one group per phase.
        only: Numbers of the phases to run: 2 and 3, say.
        first: Number of the first phase to run.
        last: Number of the last phase to run.
        look: Whether to load the table only, and work on nothing.
        inline: Whether to run every phase in one process, which they are in any case.

    """
    options = options or OffersOptions()
    page = RunPage(OFFERS)
    parameters = {"mail": mail, "store": store, "profile": profile, "options": options}
    try:
        chosen = OFFERS.select(only or (), first, last)
        if containers.is_inside():
            containers.require_shared(*(place for place in (mail, store, profile) if place not in SERVICES))
        with desk(mail, store, profile, options, writes=not look) as opened:
            if look:
                page.write(markdown(opened.document()))
                return Completed(message=f"The table was loaded: {_used(opened)}")
            ended = run_phases(
                OFFERS,
                chosen,
                parameters,
                inline=inline,
                subject=Path(mail).name,
                moved_on=page.refresh,
                needless=lambda phase: opened.nothing_for(phase.key),
            )
            page.write(markdown(opened.document()))
    except (InputError, UnavailableError, PlanError) as error:
        return Failed(message=str(error))
    state = verdict(chosen, ended)
    if not state.is_completed():
        return Failed(message=f"{state.message}; {_used(opened)}", name=state.name)
    worked = [each for each in ended if opened.items.get(each.phase.key)]
    words = "; ".join(f"{each.phase.name}: {each.message}" for each in worked)
    idle = "Nothing to do: " + ", ".join(each.message for each in ended)
    return Completed(message=f"{words or idle}; {_used(opened)}")


def _used(opened: Desk) -> str:
    return used_in_words(opened.document())
