"""Containers on this machine's Docker engine: what they share with it, which are at work, what their images can do."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.errors import InputError, UnavailableError
from lib.runs.process import TOLD, host_name, pid_here, place_of
from lib.settings import Settings, settings
from lib.storage.address import is_url

if TYPE_CHECKING:
    from docker import DockerClient

WORKER = "regie.worker"
"""Label of the containers of runs: where the process is of the worker that started it."""


@contextlib.contextmanager
def engine() -> "Iterator[DockerClient]":
    """Connect to the Docker engine that DOCKER_HOST names, or this machine's; UnavailableError when none answers."""
    import docker
    from docker.utils import parse_host

    try:
        _knock(str(parse_host(os.environ.get("DOCKER_HOST"))))
        client = docker.from_env()
    except (docker.errors.DockerException, OSError) as error:
        raise UnavailableError(
            f"No Docker engine answers ({error}). Start one (`systemctl start docker`), name its address in "
            "DOCKER_HOST, or do without containers: REGIE_PROFILE=process."
        ) from error
    with contextlib.closing(client):
        yield client


def shared_folders(config: Settings) -> list[Path]:
    """Return the folders that containers share with the machine, under the same path."""
    return list(dict.fromkeys([config.home, *config.docker_volumes]))


def volumes(config: Settings) -> list[str]:
    """Return the same as Docker takes it."""
    return [f"{folder}:{folder}" for folder in shared_folders(config)]


def variables(config: Settings) -> dict[str, str]:
    """Return the environment variables by which the processes in a container know what is set on this machine."""
    handed_on = {name: os.environ[name] for name in config.docker_variables if os.environ.get(name)}
    # Where the virtual environments are means nothing in there.
    told = {name: value for name, value in config.as_variables().items() if name != "REGIE_ENVIRONMENTS"}
    return {
        **handed_on,
        **told,
        "REGIE_HOME": str(config.home),
        "REGIE_HOST_NAME": host_name(),
    }


def user() -> dict[str, Any]:
    """Return as whom a container runs, as Docker takes it: as this process does, so that its files are the same's."""
    return {"user": f"{os.getuid()}:{os.getgid()}", "group_add": [str(group) for group in os.getgroups()]}


def is_inside() -> bool:
    """Whether this process works in a container of a run."""
    return TOLD in os.environ


def require_shared(*places: str) -> None:
    """Raise InputError when one of these paths is in no folder that containers share, unless there are none.

    URLs are of storage elsewhere, and need not be.
    """
    config = settings()
    if config.profile != "docker":
        return
    folders = shared_folders(config)
    for path in (Path(place) for place in places if not is_url(place)):
        # As it is written, which is how a container finds it, and as it is, in case that a link leads elsewhere.
        if not (_is_in(path.absolute(), folders) and _is_in(path.resolve(), [folder.resolve() for folder in folders])):
            raise InputError(
                f"{path} is in no folder that containers share: these are {', '.join(map(str, folders))}. Add one to "
                "the setting docker_volumes, and start Régie again."
            )


def running() -> set[str]:
    """Return the names of the containers of runs that are at work; UnavailableError when no engine answers."""
    with engine() as client, _answering():
        return {str(each.name) for each in client.containers.list(filters={"label": WORKER}, ignore_removed=True)}


def remove_left(is_alive: Callable[[int, datetime], bool]) -> list[str]:
    """Remove the containers of runs whose worker on this machine is gone, and return their names.

    A container ends with its worker by itself: these were made and never started, or their engine was killed as well.
    """
    removed = []
    with engine() as client:
        for container in client.containers.list(all=True, filters={"label": WORKER}, ignore_removed=True):
            worker = pid_here(container.labels[WORKER])
            if worker is not None and not is_alive(worker, datetime.fromisoformat(container.attrs["Created"])):
                remove(client, str(container.id))
                removed.append(str(container.name))
    return removed


def remove(client: "DockerClient", name: str) -> None:
    """Remove a container, at work or not; one that there is not any more is none that need be removed."""
    import docker

    try:
        client.api.remove_container(name, force=True)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as error:
        if error.status_code != 409:  # it is being removed
            raise


def ask(image: str, arguments: Sequence[str], question: bytes, config: Settings, seconds: float) -> bytes:
    """Return what `python ARGUMENTS` answers in a container of an image to a question on its standard input.

    UnavailableError when there is no engine or no such image; InputError with its last words when it fails, or does not
    answer for so many seconds.
    """
    import docker
    from docker.utils.socket import frames_iter

    with engine() as client, _answering():
        try:
            container = client.containers.create(
                image,
                ["python", *arguments],
                stdin_open=True,
                network_mode=config.docker_network,
                environment=variables(config),
                volumes=volumes(config),
                labels={WORKER: place_of()},  # should this process be killed, it is found and removed
                **user(),
            )
        except docker.errors.ImageNotFound as error:
            raise UnavailableError(no_image(image)) from error
        patience = threading.Timer(seconds, container.kill)
        try:
            wire = client.api.attach_socket(str(container.id), {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            container.start()
            patience.start()
            asking = getattr(wire, "_sock", wire)
            asking.sendall(question)
            asking.shutdown(socket.SHUT_WR)
            said: dict[int, bytes] = {1: b"", 2: b""}
            for stream, part in frames_iter(wire, tty=False):  # type: ignore[no-untyped-call]
                said[stream] += part
            code = container.wait()["StatusCode"]
        finally:
            patience.cancel()
            remove(client, str(container.id))
    if code:
        last = " ".join(said[2].decode(errors="replace").strip().splitlines()[-1:])
        raise InputError(last or f"it ended with exit code {code}")
    return said[1]


def no_image(image: str) -> str:
    """Say that there is no such image, and how to get it."""
    return f"There is no image {image} on this machine: `regie images build` makes Régie's own."


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Raise UnavailableError for whatever an engine that was reached does not do."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        raise UnavailableError(f"The Docker engine is in trouble: {error}") from error


def _knock(address: str) -> None:
    """Raise OSError when nobody listens at a socket: Docker's client would leave its own end open."""
    kind, _, path = address.partition("://")
    if kind == "http+unix":
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)


def _is_in(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
