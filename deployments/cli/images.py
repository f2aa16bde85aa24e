"""`regie images`: build the Docker images of the environments, check them, list them, say what is in them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments import environments
from deployments.cli.app import FAILED, app, configured, say
from deployments.images.names import image_name
from lib import containers
from lib.errors import InputError
from lib.files import replacing

if TYPE_CHECKING:
    from docker.client import DockerClient

    from lib.video.trial import Trial

images = typer.Typer(help="Build, check and list the Docker images of the environments.", no_args_is_help=True)
app.add_typer(images, name="images")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[ENV]...", help="base, scenes, audio, tracking; all when none is named.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list.")]
Wheels = Annotated[
    Path | None, typer.Option(help="Folder of wheels besides those of the index.", exists=True, file_okay=False)
]
Constraints = Annotated[
    Path | None, typer.Option(help="Folder that `freeze` wrote: these versions.", exists=True, file_okay=False)
]
Engine = Annotated[str | None, typer.Option(help="Add an engine: audio has pyannote.")]


@images.command()
def build(
    names: Names = None,
    base_image: Annotated[
        str | None, typer.Option(help="Image to build on; else the setting `docker_base_image`.")
    ] = None,
    wheels: Wheels = None,
    constraints: Constraints = None,
    engine: Engine = None,
    tag: Annotated[str | None, typer.Option(help="Tag; else the setting `docker_tag`, or version and code.")] = None,
    tried: Annotated[bool, typer.Option("--check/--no-check", help="Try each image out once it is built.")] = True,
    as_json: AsJson = False,
) -> None:
    """Build images, and try each out; only what changed since the last time is done again."""
    keys = _wanted(names)
    config = configured()
    if engine is not None and len(keys) != 1:
        raise typer.BadParameter("--engine adds to one image: regie images build audio --engine pyannote")
    if engine is not None and not (tag or config.docker_tag):
        raise typer.BadParameter(
            "--engine makes another image than the usual one, whose name it would take: give it a --tag, and name it "
            "in the setting docker_images."
        )
    from deployments.images.building import Plan, build_image

    plan = Plan(base_image or config.docker_base_image, engine, wheels, constraints, tag)
    done = []
    with containers.engine() as client:
        for key in keys:
            built = build_image(client, key, plan, say)
            say(f"{key}: built {built.name} in {built.seconds:.0f} s; {built.cached} of {built.steps} steps were done")
            trial = _check(client, key, built.name) if tried else None
            done.append({**asdict(built), "trial": trial and asdict(trial)})
    if as_json:
        typer.echo(orjson.dumps(done, option=orjson.OPT_INDENT_2).decode())


@images.command()
def check(names: Names = None, as_json: AsJson = False) -> None:
    """Try images out: the engine of each works on a tiny input, in a container; exit code 1 when one does not."""
    keys = _wanted(names)
    configured()

    done, wrong = [], []
    with containers.engine() as client:
        for key in keys:
            try:
                done.append(_check(client, key, image_name(key)))
            except InputError as error:
                say(f"{key}: {error}")
                wrong.append(key)
    if as_json:
        typer.echo(orjson.dumps([asdict(trial) for trial in done], option=orjson.OPT_INDENT_2).decode())
    if wrong:
        raise typer.Exit(FAILED)


@images.command(name="list")
def list_images(as_json: AsJson = False) -> None:
    """List the images that the Docker engine holds, with the bytes that are their own."""
    configured()
    from deployments.images.listing import images_here

    with containers.engine() as client:
        found = images_here(client)
    if as_json:
        typer.echo(orjson.dumps([asdict(each) for each in found], option=orjson.OPT_INDENT_2).decode())
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Image", overflow="fold")
    table.add_column("State", no_wrap=True)
    for title in ("Size", "Its own", "Made"):
        table.add_column(title, justify="right", no_wrap=True)
    for each in found:
        state = Text("✓ current", style="green") if each.current else Text("· of other code", style="dim")
        made = f"{each.created.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(each.name, state, f"{each.size / 1e6:.0f} MB", f"{each.unique / 1e6:.0f} MB", made)
    Console().print(table)


@images.command()
def freeze(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the lists are written.")]) -> None:
    """Write which packages the images hold, in which versions, for `build --constraints FOLDER` elsewhere or later."""
    configured()
    from deployments.images.checking import packages

    folder.mkdir(parents=True, exist_ok=True)
    with containers.engine() as client:
        for key in environments.ENVIRONMENTS:
            for layer in ("common", key):
                (folder / f"{layer}.txt").write_bytes(packages(client, image_name(key), layer))
    say(f"Written to {folder}: regie images build --constraints {folder}")


@images.command(name="context")
def write_context(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The tar archive that is written.", dir_okay=False)],
    wheels: Wheels = None,
    constraints: Constraints = None,
    engine: Engine = None,
) -> None:
    """Write what images are built from, for another builder: `docker build -f images/ENV/Dockerfile - < FILE`."""
    configured()
    from deployments.images.context import contents, write

    with replacing(file.absolute()) as temporary, temporary.open("wb") as archive:
        write(archive, contents(engine), wheels, constraints)


def _check(client: "DockerClient", key: str, name: str) -> "Trial":
    from deployments.images.checking import check_image

    trial = check_image(client, key, name)
    say(f"{key}: {trial.engine} {trial.version} works: {trial.found}, in {trial.seconds:.1f} s")
    return trial


def _wanted(names: Sequence[str] | None) -> list[str]:
    keys = list(names or environments.ENVIRONMENTS)
    for key in keys:
        try:
            environments.environment(key)
        except InputError as error:
            raise typer.BadParameter(str(error)) from error
    return keys
