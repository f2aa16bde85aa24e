"""`regie run video`: one run from start to end, followed live."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from deployments.cli.app import configured, existing, quiet, run, say
from deployments.cli.carry_out import Left, carry_out, selection
from deployments.cli.table import as_told
from lib.errors import InputError
from lib.runs.status import RunStatus
from lib.settings import Settings
from lib.storage import checked, is_url
from lib.video.extract.manifest import as_text
from lib.video.outcome import failures_of, outputs_of
from lib.video.plan import VIDEO
from lib.video.sources import find_sources


@run.command("video")
def run_video(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="An archive, a folder of them and of videos, or a video; or a URL.")
    ],
    out: Annotated[str, typer.Option("--out", help="Folder of projects, results and archives; or a URL.")],
    only: Annotated[str, typer.Option("--only", help="Numbers of the phases to run: 3,4")] = "",
    first: Annotated[int | None, typer.Option("--from", help="Number of the first phase to run.")] = None,
    last: Annotated[int | None, typer.Option("--to", help="Number of the last phase to run.")] = None,
    inline: Annotated[bool, typer.Option("--inline", help="Run every phase in this process.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Analyse again what is known already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, nothing else.")] = False,
) -> None:
    """From archives of rushes to scene cuts, speakers, faces, reduced files, an archive and a report."""
    config = configured()
    chosen = selection(VIDEO, only, first, last)
    if force:
        config.video.force = True
    raise typer.Exit(carry_out_video(source, out, config, chosen, inline=inline, as_json=as_json))


def carry_out_video(
    source: str | Path,
    out: str | Path,
    config: Settings,
    chosen: Mapping[str, Any] | None = None,
    *,
    inline: bool = False,
    as_json: bool = False,
) -> int:
    """Run `video` to its end and return the exit code; `chosen` says which phases: `only`, `first`, `last`."""
    source, out = _source(str(source), config), _place(str(out))
    parameters: dict[str, Any] = {
        "source": source,
        "out": out,
        "options": config.video.model_dump(mode="json"),
        "inline": inline,
        **(chosen or {}),
    }

    def leaves(_connection: object, status: RunStatus) -> Left:
        options, phases = _options(out), [phase.key for phase in status.phases if phase.run_id]
        outputs = outputs_of(source, out, config.video.extract, options)
        failures = failures_of(source, out, phases, config.video.extract, options)
        return Left(outputs, failures, [line for output in outputs for line in _shown(output)])

    return carry_out(
        VIDEO,
        parameters,
        config,
        leaves,
        inline=inline,
        as_json=as_json,
        say=quiet if as_json else say,
    )


def _shown(output: dict[str, Any]) -> Iterator[Text]:
    yield as_told("\n" + "/".join(filter(None, (output["project"], output["video"]))), "bold")
    for name, path in output["files"].items():
        yield as_told(f"  {name:<9} {path}")


def _source(given: str, config: Settings) -> str:
    """Return a source in full; a file that is neither archive nor video is refused before anything is started."""
    if is_url(given):
        return _place(given)
    source = existing(Path(given))
    if source.is_file():
        try:
            find_sources(source, config.video.extract)
        except InputError as error:
            raise typer.BadParameter(str(error)) from error
    return _place(str(source))


def _place(given: str) -> str:
    """Return a folder or file in full, as another process finds it; refuse what could not be handed on."""
    if is_url(given):
        try:
            return checked(given)
        except InputError as error:
            raise typer.BadParameter(str(error)) from error
    path = Path(given).absolute()
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = as_text(path)
        raise typer.BadParameter(
            f"the path {shown} is not UTF-8: rename it, or give a folder above it (names within it are no problem)"
        ) from error
    return str(path)


def _options(out: str) -> dict[str, Any]:
    if not is_url(out):
        return {}
    from blocks.storage import storage_options

    return storage_options(out)
