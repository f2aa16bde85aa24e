"""`regie blocks`: the credentials for outside services."""

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import orjson
import typer
from rich.table import Table
from rich.text import Text

from deployments.cli.app import FAILED, app, say
from deployments.cli.follow import output
from deployments.cli.serving import AsJson, serving
from deployments.cli.table import as_told
from lib.errors import InputError, UnavailableError

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from blocks.service import ServiceBlock

blocks = typer.Typer(help="Keys and credentials for outside services.", no_args_is_help=True)
app.add_typer(blocks, name="blocks")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a block, as `regie blocks list` gives it.")]
MISSING = "not set up"


@dataclass(frozen=True)
class Checked:
    """What came of trying a service."""

    block: str
    source: str
    """Where a run takes its credentials from: `environment`, or the name of a block."""
    works: bool
    message: str


@blocks.command("list")
def list_blocks(as_json: AsJson = False) -> None:
    """Say which blocks there are, what they are for, and where a run takes each from."""
    with serving():
        from blocks.registry import BLOCKS

        rows: list[dict[str, Any]] = [
            {"block": key, "source": _source(kind), "used_for": kind.used_for, "variables": list(kind.variables)}
            for key, kind in BLOCKS.items()
        ]
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("Block", "Set by", "Used for", "Or by variables", box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(row["block"], row["source"], row["used_for"], ", ".join(row["variables"]))
    output().print(table)


@blocks.command()
def register() -> None:
    """Tell the server which blocks there are, so that they can be filled in in Prefect's UI; `regie up` does too."""
    with serving() as server:
        from blocks.documents import register
        from blocks.registry import BLOCKS

        server.connection(register, BLOCKS.values())
        where = "regie blocks set" if server.stack.own else f"{server.stack.ui_url}/blocks/catalog"
        say(f"Registered: {', '.join(BLOCKS)}. Fill them in: {where}")


@blocks.command("set")
def set_block(
    name: Name,
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Its fields, but for its secrets.")
    ] = None,
) -> None:
    """Fill in a block anew.

    Its secrets are asked for; where there is no terminal, they are read from standard input, a line each, in the order
    of the page of documentation.
    """
    with serving():
        from pydantic import ValidationError

        from blocks.documents import trouble
        from lib.settings import settings

        kind = _kind(name)
        values = dict(_value(kind, field) for field in fields or ()) | _secrets(kind)
        try:
            kind(**values).save(settings().block, overwrite=True)
        except ValidationError as error:
            # Not chained: what is wrong may be a secret.
            raise InputError(f"The block {name} is not filled in: {trouble(error)}.") from None
        except httpx.HTTPError as error:
            raise InputError(f"The Prefect server did not do it ({type(error).__name__}): try again.") from None
    say(f"The block {name} is filled in. Try it: regie blocks check {name}")


@blocks.command()
def check(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this block; all that are set up otherwise.")] = "",
    as_json: AsJson = False,
) -> None:
    """Try the services with the credentials that a run would use; exit code 1 when one does not work."""
    with serving():
        from blocks.registry import BLOCKS

        kinds = [_kind(name)] if name else BLOCKS.values()
        found = [_checked(kind) for kind in kinds]
    results = [each for each in found if each.source != MISSING or name]
    if as_json:
        typer.echo(orjson.dumps([asdict(each) for each in results], option=orjson.OPT_INDENT_2).decode())
    elif not results:
        say(
            "No block is set up, nor a variable in its place: every phase works without. `regie blocks list` says more."
        )
    else:
        _show(results)
    raise typer.Exit(0 if all(each.works for each in results) else FAILED)


def _show(results: list[Checked]) -> None:
    table = Table("Block", "Set by", "State", "", box=None, pad_edge=False, header_style="dim")
    for each in results:
        state = Text("✓ works", style="green") if each.works else Text("✗ does not", style="red")
        table.add_row(each.block, each.source, state, as_told(each.message))
    output().print(table)


def _kind(name: str) -> "type[ServiceBlock]":
    from blocks.registry import BLOCKS

    if name not in BLOCKS:
        raise InputError(f"There is no block {name}: there are {', '.join(BLOCKS)}.")
    return BLOCKS[name]


def _source(kind: "type[ServiceBlock]") -> str:
    from blocks.documents import in_use

    try:
        found = in_use(kind)
    except UnavailableError as error:
        return str(error)
    return found[1] if found else "–"


def _checked(kind: "type[ServiceBlock]") -> Checked:
    from blocks.documents import in_use

    source = ""
    try:
        found = in_use(kind)
        if found is None:
            return Checked(kind.key, MISSING, False, f"Fill it in: regie blocks set {kind.key}")
        block, source = found
        return Checked(kind.key, source, True, block.check())
    except UnavailableError as error:
        return Checked(kind.key, source, False, str(error))


def _value(kind: "type[ServiceBlock]", given: str) -> tuple[str, str]:
    """Return a field and its value as given on the command line, where everybody can read it."""
    name, equals, value = given.partition("=")
    if not equals or name not in kind.fields():
        raise InputError(f"{name!r} is no field of {kind.key} with a value: give {_open(kind)}, as FIELD=VALUE.")
    if kind.is_secret(name):
        raise InputError(
            f"{name} is a secret, and a command line can be read by others: leave it out, and it is asked for."
        )
    return name, value


def _open(kind: "type[ServiceBlock]") -> str:
    return ", ".join(name for name in kind.fields() if not kind.is_secret(name))


def _secrets(kind: "type[ServiceBlock]") -> dict[str, Any]:
    """Return the secrets of a block, from the person at the terminal or from standard input."""
    values: dict[str, Any] = {}
    for name, field in kind.fields().items():
        if not kind.is_secret(name):
            continue
        if sys.stdin.isatty():
            optional = "" if field.is_required() else " (may be empty)"
            said = typer.prompt(f"{field.title}{optional}", default="", show_default=False, hide_input=True, err=True)
        else:
            said = sys.stdin.readline()
        if said.strip():
            values[name] = _read(kind, name, said.strip())
    return values


def _read(kind: "type[ServiceBlock]", name: str, said: str) -> Any:
    """Return a secret as it was given; one of many parts is a JSON object."""
    if f"{name}.*" not in kind.model_json_schema()["secret_fields"]:
        return said
    try:
        return dict(json.loads(said))
    except (ValueError, TypeError):
        # Not chained: it shows what was given.
        raise InputError(f"{name} is not a JSON object.") from None
