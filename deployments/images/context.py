"""What an image is made of: the packages that pyproject.toml names, Régie's own code, the Dockerfiles."""

import hashlib
import io
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

from deployments.environments import ENVIRONMENTS, PROJECT, environment
from lib.errors import InputError

IMAGES = PROJECT / "deployments" / "images"
LAYERS = ("common", *ENVIRONMENTS)
"""What has packages of its own: what every image holds, and what each environment adds to it."""


def contents(engine: str | None = None) -> dict[str, bytes]:
    """Return the files of a build's context by path, but for wheels and constraints; `engine` is one that audio adds.

    Only files that Régie's package installs are in it, whatever else lies in its folders. Raises InputError when Régie
    was not installed from its source (`pip install --editable`), for then there is nothing to build from.
    """
    wanted = project()
    files = {f"requirements/{name}.txt": _lines(lines) for name, lines in requirements(wanted, engine).items()}
    files["images/regie.pth"] = (IMAGES / "regie.pth").read_bytes()
    for key in ENVIRONMENTS:
        files[f"images/{key}/Dockerfile"] = (IMAGES / key / "Dockerfile").read_bytes()
    for path in _sources(wanted["tool"]["setuptools"]):
        files[f"source/{path.relative_to(PROJECT).as_posix()}"] = path.read_bytes()
    # The package's long description: nobody reads it in an image, and other words in it are no other code.
    files["source/README.md"] = b""
    return files


def requirements(project: Mapping[str, Any], engine: str | None = None) -> dict[str, list[str]]:
    """Return what pyproject.toml wants for each layer, and to build the package (`build`).

    The packages of an added engine may contradict those of other environments, so its layer holds all that it needs,
    and the others, which would lie below it, hold nothing.
    """
    extras = project["project"]["optional-dependencies"]
    wanted = {"build": project["build-system"]["requires"], "common": project["project"]["dependencies"]}
    for key in ENVIRONMENTS:
        wanted[key] = [] if engine else extras[key]
    if not engine:
        wanted["base"] = [*wanted["base"], *extras["server"]]
    for key in ENVIRONMENTS:
        offered = environment(key).engines
        if engine is not None and engine in offered:
            wanted[key] = [line for extra in offered[engine][1] for line in extras[extra]]
    return wanted


def digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of a context's contents that is part of an image's tag."""
    found = hashlib.sha256()
    for path, content in sorted(files.items()):
        found.update(f"{path}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:12]


def write(target: IO[bytes], files: Mapping[str, bytes], wheels: Path | None, constraints: Path | None) -> None:
    """Write a context as a tar archive; the same contents make the same archive.

    `wheels` is a folder of wheels, `constraints` a folder with a file of constraints for each layer, of which any may
    be missing.
    """
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in ("wheels", "source"):
            about = tarfile.TarInfo(folder)
            about.type, about.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(about)
        for name in LAYERS:
            path = constraints / f"{name}.txt" if constraints else None
            _add(archive, f"constraints/{name}.txt", path.read_bytes() if path and path.exists() else b"")
        for name, content in sorted(files.items()):
            _add(archive, name, content)
        for path in sorted(wheels.glob("*.whl")) if wheels else ():
            about = tarfile.TarInfo(f"wheels/{path.name}")
            about.size, about.mode = path.stat().st_size, 0o644
            with path.open("rb") as wheel:
                archive.addfile(about, wheel)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o644
    archive.addfile(about, io.BytesIO(content))


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def project() -> dict[str, Any]:
    """Return what pyproject.toml says; InputError where it is not."""
    try:
        return tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"Images are made from Régie's source, and {PROJECT} holds none: clone the repository and install it with "
            "`pip install --editable '.[base]'`, or name images that were built elsewhere (setting `docker_tag`)."
        ) from error


def _sources(setuptools: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the files that the package is built from: the modules, and the data that pyproject.toml names."""
    yield PROJECT / "pyproject.toml"
    yield PROJECT / "LICENSE"
    yield from (PROJECT / f"{name}.py" for name in setuptools.get("py-modules", ()))
    data = [pattern for patterns in setuptools["package-data"].values() for pattern in patterns]
    for folder in sorted(PROJECT.iterdir()):
        if (folder / "__init__.py").exists() and any(
            fnmatch(folder.name, each) for each in setuptools["packages"]["find"]["include"]
        ):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and any(fnmatch(path.name, each) for each in ("*.py", *data)):
                    yield path
