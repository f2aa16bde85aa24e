"""`regie offers`: look at what a run of `offers` works with, and at what it made."""

import os
from collections import Counter
from contextlib import closing
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from deployments.cli.app import FAILED, app, configured, say
from deployments.cli.follow import output
from deployments.cli.table import as_told
from deployments.running import running_server
from lib.errors import InputError, UnavailableError
from lib.offers.defaults import parameters, place
from lib.offers.statuses import Status
from lib.settings import Settings

offers = typer.Typer(help="Look at mailbox, store and offers.", no_args_is_help=True)
app.add_typer(offers, name="offers")

StoreOption = Annotated[str, typer.Option("--store", help="A SQLite file, or `airtable`; else as the settings say.")]


@offers.command("check")
def check(
    mail: Annotated[str, typer.Option("--mail", help="A folder or file of messages, or `imap`.")] = "",
    store: StoreOption = "",
    profile: Annotated[str, typer.Option("--profile", help="A TOML file of criteria.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try mailbox, store, profile and engines, compare the store with the settings, and say what differs.

    The exit code is 1 when something does not work.
    """
    config = _connected()
    asked = parameters(config) | {
        name: place(text) for name, text in (("mail", mail), ("store", store), ("profile", profile)) if text
    }
    found = _examine(asked, config)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        drawn = Table(box=None, pad_edge=False, show_header=False)
        for each in found:
            mark, style = ("✓", "green") if each["works"] else ("✗", "red")
            drawn.add_row(as_told(mark, style), as_told(each["what"]), as_told("\n".join(each["words"])))
        output().print(drawn)
    raise typer.Exit(0 if all(each["works"] for each in found) else FAILED)


@offers.command("list")
def list_offers(
    source: Annotated[str, typer.Option("--source", help="Only those of this sender: LinkedIn")] = "",
    status: Annotated[Status, typer.Option("--status", help="Those with this status.")] = Status.ANALYSED,
    store: StoreOption = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the offers with a status, the best first, at most a hundred: one call to the store."""
    config = _connected()
    asked = parameters(config) | ({"store": place(store)} if store else {})
    from flows.offers.items import items

    found = items(asked, {"source": source, "status": status})
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    elif as_csv:
        from lib.offers.table_csv import as_csv as in_csv

        typer.echo(in_csv(found), nl=False)
    else:
        drawn = Table("Score", "Offer", "Place", "Link, and why", box=None, pad_edge=False, header_style="dim")
        for each in found:
            score = "" if each["score"] is None else f"{each['score']:.0f}"
            name = "\n".join(filter(None, (each["title"], each["company"])))
            why = "\n".join(filter(None, (each["link"], each["reasons"], each["note"])))
            drawn.add_row(score, as_told(name), as_told(each["place"]), as_told(why))
        output().print(drawn)


def _connected() -> Settings:
    """Return the settings, and point Prefect at the server that is up, where one is: it has the blocks."""
    config = configured()
    if url := running_server(config):
        os.environ["PREFECT_API_URL"] = url
    else:
        say("No server is up: keys and accounts in blocks are left out of account.")
    return config


def _examine(asked: dict[str, Any], config: Settings) -> list[dict[str, Any]]:
    return [
        _tried("mailbox", lambda: _mail(asked["mail"], config)),
        _tried("store", lambda: _store(asked["store"], config)),
        _tried("profile", lambda: _profile(asked["profile"])),
        *_engines(),
    ]


def _tried(what: str, attempt: Any) -> dict[str, Any]:
    try:
        words, works = attempt()
    except (InputError, UnavailableError) as error:
        words, works = [str(error)], False
    return {"what": what, "works": works, "words": words}


def _mail(address: str, config: Settings) -> tuple[list[str], bool]:
    from flows.offers.opening import open_mail

    with closing(open_mail(address, config.offers)) as mailbox:
        waiting = mailbox.audit()
        counts = Counter(envelope.source for envelope in waiting)
        words = [f"{mailbox.name}: {len(waiting)} alerts wait", *(f"{n} of {s}" for s, n in counts.items())]
        return words, True


def _store(address: str, config: Settings) -> tuple[list[str], bool]:
    from flows.offers.opening import open_store

    with closing(open_store(address, config.offers, must_exist=True)) as store:
        problems = store.problems()
        return problems or [f"{store.name} is as the settings say"], not problems


def _profile(path: str) -> tuple[list[str], bool]:
    from pathlib import Path

    from lib.offers.analyse.profile import read_profile

    profile = read_profile(Path(path))
    return [f"{path}: {len(profile.criteria)} criteria"], True


def _engines() -> list[dict[str, Any]]:
    from flows.offers.engines import engines

    states = engines(say)
    usable = any(not state.missing for state in states)
    # One that is missing is no trouble while another can do its work.
    return [
        {"what": f"engine {each.engine}", "works": not each.missing or usable, "words": [each.missing or each.version]}
        for each in states
    ]
