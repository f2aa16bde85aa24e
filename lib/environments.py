"""The one table of environments: which virtual environment holds which, and where it is on this machine."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.errors import InputError

STAMP = ".regie-synced"
"""File in a virtual environment that was made to its end; it says of what."""


@dataclass(frozen=True)
class Environment:
    """A set of packages that phases need, and where it is on this machine."""

    key: str
    venv: str
    """The virtual environment that holds it: environments whose packages agree share one."""
    extras: tuple[str, ...]
    """The extras of `pyproject.toml` that the virtual environment installs."""
    engines: Mapping[str, tuple[str, tuple[str, ...]]]
    """Engines that are added on demand: their name → the virtual environment of their own, and its extras."""
    gpu: bool = False
    """Whether its phases work on the GPU where there is one."""


ENVIRONMENTS: Mapping[str, Environment] = {
    environment.key: environment
    for environment in (
        Environment("base", "base", ("base",), {}),
        Environment("scenes", "torch", ("scenes", "audio"), {}, gpu=True),
        # pyannote.audio needs torchaudio, whose published builds need a CUDA torch: it does not share.
        Environment("audio", "torch", ("scenes", "audio"), {"pyannote": ("audio", ("audio", "pyannote"))}, gpu=True),
        Environment("tracking", "tracking", ("tracking",), {}),
    )
}


def environment(key: str) -> Environment:
    """Return an environment by its key; InputError names those that there are."""
    try:
        return ENVIRONMENTS[key]
    except KeyError:
        raise InputError(f"There is no environment {key!r}: there are {', '.join(ENVIRONMENTS)}.") from None


def folder(key: str, root: Path) -> Path:
    """Return the folder of an environment's virtual environment: that of an added engine when it was synced."""
    chosen = environment(key)
    if chosen.venv == "base":
        return Path(sys.prefix) if Path(sys.prefix).parent != root else root.parent
    for venv, _extras in chosen.engines.values():
        if is_ready(root / venv):
            return root / venv
    return root / chosen.venv


def python(key: str, root: Path) -> Path:
    """Return the Python of an environment."""
    return folder(key, root) / "bin" / "python"


def is_ready(venv: Path) -> bool:
    """Whether a virtual environment was made to its end."""
    return (venv / STAMP).exists()
