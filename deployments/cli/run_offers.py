"""`regie run offers`: from a mailbox to a scored table, followed live."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from deployments.cli.app import configured, quiet, run, say
from deployments.cli.carry_out import Left, carry_out, selection
from deployments.cli.table import as_told
from lib.offers.defaults import SERVICES, parameters, place
from lib.offers.plan import OFFERS
from lib.offers.shown import used_in_words
from lib.runs.status import RunStatus
from lib.settings import Settings
from lib.storage.location import holds_password

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from lib.runs.server import Connection


@run.command("offers")
def run_offers(
    mail: Annotated[
        str, typer.Option("--mail", help="A folder or file of messages, or `imap` for the account of the block.")
    ] = "",
    store: Annotated[
        str, typer.Option("--store", help="A SQLite file, or `airtable` for the base that the settings name.")
    ] = "",
    profile: Annotated[str, typer.Option("--profile", help="What you look for: a TOML file of criteria.")] = "",
    only: Annotated[str, typer.Option("--only", help="Numbers of the phases to run: 2,3")] = "",
    first: Annotated[int | None, typer.Option("--from", help="Number of the first phase to run.")] = None,
    last: Annotated[int | None, typer.Option("--to", help="Number of the last phase to run.")] = None,
    look: Annotated[bool, typer.Option("--look", help="Only load the table; work on nothing.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Work again on offers that ended in an error.")] = False,
    inline: Annotated[bool, typer.Option("--inline", help="Run the orchestrator in this process too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, nothing else.")] = False,
) -> None:
    """From alerts in a mailbox to offers in a table, completed and scored; what is not given is as the settings say."""
    config = configured()
    chosen = selection(OFFERS, only, first, last)
    if retry:
        config.offers.retry = True
    given = {"mail": mail, "store": store, "profile": profile}
    places = {name: _place(name, text) for name, text in given.items() if text}
    raise typer.Exit(carry_out_offers(config, {**places, **chosen, "look": look}, inline=inline, as_json=as_json))


def carry_out_offers(config: Settings, given: Mapping[str, Any], *, inline: bool = False, as_json: bool = False) -> int:
    """Run `offers` to its end and return the exit code; `given` are parameters besides those of the settings."""
    asked = {
        **parameters(config),
        "options": config.offers.model_dump(mode="json"),
        "inline": inline,
        **given,
    }
    return carry_out(OFFERS, asked, config, _left, inline=inline, as_json=as_json, say=quiet if as_json else say)


def _place(name: str, text: str) -> str:
    """Return a path in full; refuse what is not there and would not be made."""
    if holds_password(text):
        raise typer.BadParameter(
            f"a password has no place in --{name}, which is shown and kept: give it by environment variables or a block"
        )
    full = place(text)
    if name != "store" and text not in SERVICES and not Path(full.removeprefix("file://")).exists():
        raise typer.BadParameter(f"there is no file or folder {full} (--{name})")
    return full


def _left(connection: "Connection", status: RunStatus) -> Left:
    from lib.runs.view import read_views

    view = connection(read_views, [UUID(status.run_id)]).get(UUID(status.run_id))
    if view is None:
        return Left([])
    shown = {name: value for name, value in view.items() if name not in {"failures", "kind"}}
    return Left(
        [shown], view["failures"], [table(view), as_told(used_in_words(view)), *map(_doubt, view["left_alone"])]
    )


def table(view: Mapping[str, Any]) -> Table:
    """Return the table of a view: a row per source, a column per status that any offer has, totals both ways."""
    used = [place for place, each in enumerate(view["totals"]["cells"]) if each["count"]]
    drawn = Table(box=None, pad_edge=False, header_style="dim", show_footer=bool(view["rows"]))
    drawn.add_column("Source", as_told("Total", "bold"))
    for place_of_column in used:
        total = str(view["totals"]["cells"][place_of_column]["count"])
        name = as_told(view["columns"][place_of_column]["name"])
        drawn.add_column(name, as_told(total, "bold"), justify="right")
    drawn.add_column("Total", as_told(str(view["totals"]["total"]), "bold"), justify="right")
    for row in view["rows"]:
        figures = [as_told(str(row["cells"][each]["count"] or "")) for each in used]
        drawn.add_row(as_told(row["source"] or "–"), *figures, as_told(str(row["total"])))
    return drawn


def _doubt(doubt: Mapping[str, str]) -> Text:
    return as_told(f"Left alone: {doubt['name']}: {doubt['reason']}", "yellow")
