"""How the virtual environments of `lib.environments` are made."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from lib.environments import ENVIRONMENTS, STAMP, Environment, environment, folder, is_ready, python
from lib.errors import InputError

__all__ = [
    "ENVIRONMENTS",
    "Environment",
    "environment",
    "folder",
    "is_held",
    "is_ready",
    "python",
    "python_here",
    "sync",
]

PROJECT = Path(__file__).resolve().parent.parent
"""Where the project was cloned to: the environments install it from there, in editable mode."""


def python_here(key: str, root: Path) -> Path:
    """Return the Python that executes phases of an environment on this machine: in an image of its own, this one."""
    made = python(key, root)
    return made if made.exists() or not is_held(key) else Path(sys.executable)


def is_held(key: str) -> bool:
    """Whether this Python itself has the packages of an environment, as that of its image does."""
    for line in metadata.requires("regie") or ():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}) or not wanted.marker.evaluate({"extra": key}):
            continue
        try:
            if metadata.version(wanted.name) not in wanted.specifier:
                return False
        except metadata.PackageNotFoundError:
            return False
    return True


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
    return venv / STAMP


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
