"""The one table of environments: which virtual environment holds which, and how they are made."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib.errors import InputError

PROJECT = Path(__file__).resolve().parent.parent
"""Where the project was cloned to: the environments install it from there, in editable mode."""


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


ENVIRONMENTS: Mapping[str, Environment] = {
    environment.key: environment
    for environment in (
        Environment("base", "base", ("base",), {}),
        Environment("scenes", "torch", ("scenes", "audio"), {}),
        # pyannote.audio needs torchaudio, whose published builds need a CUDA torch: it does not share.
        Environment("audio", "torch", ("scenes", "audio"), {"pyannote": ("audio", ("audio", "pyannote"))}),
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
    return _stamp(venv).exists()


def sync(
    key: str,
    root: Path,
    *,
    engine: str | None = None,
    extras: Sequence[str] = (),
    say: Callable[[str], None] = lambda _line: None,
) -> Path:
    """Make or bring up to date the virtual environment of an environment, and return its folder.

    Nothing is done when it was made from the same `pyproject.toml` before. `engine` adds an engine that is not
    installed otherwise; `extras` are installed besides. Raises InputError with pip's last words when it fails.
    """
    chosen = environment(key)
    if engine is not None and engine not in chosen.engines:
        offered = ", ".join(chosen.engines) or "none"
        raise InputError(f"{key} has no engine {engine!r} to add; it offers: {offered}.")
    venv, wanted = chosen.engines[engine] if engine else (chosen.venv, chosen.extras)
    target = folder("base", root) if venv == "base" else root / venv
    wanted = tuple(dict.fromkeys((*wanted, *_installed_extras(target), *extras)))
    if _stamp_text(wanted) == _read(_stamp(target)):
        say(f"{venv}: up to date")
        return target
    say(f"{venv}: installing {', '.join(wanted)}")
    if not (target / "bin" / "python").exists():
        _call([sys.executable, "-m", "venv", str(target)])
    _stamp(target).unlink(missing_ok=True)
    requirement = f"{PROJECT}[{','.join(wanted)}]"
    _call([str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--editable", requirement])
    _stamp(target).write_text(_stamp_text(wanted))
    say(f"{venv}: ready")
    return target


def _installed_extras(venv: Path) -> tuple[str, ...]:
    """The extras of the last sync: what was added once (tests, tools) stays."""
    line = _read(_stamp(venv)).partition("\n")[0]
    return tuple(line.split(",")) if line else ()


def _stamp(venv: Path) -> Path:
    return venv / ".regie-synced"


def _stamp_text(extras: Sequence[str]) -> str:
    digest = hashlib.sha256((PROJECT / "pyproject.toml").read_bytes()).hexdigest()
    return f"{','.join(sorted(extras))}\n{digest}\n{PROJECT}\n"


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _call(command: Sequence[str]) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(command, capture_output=True, text=True, env=clean, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        errors = [line for line in said if not line.startswith("WARNING")]
        raise InputError(f"`{' '.join(command)}` failed:\n" + "\n".join(errors[-15:]))
