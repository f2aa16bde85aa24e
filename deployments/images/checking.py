"""What is true of an image: its engine works on a tiny input, and which packages it holds."""

from collections.abc import Sequence

from docker.client import DockerClient
from docker.errors import APIError, ImageNotFound
from pydantic import TypeAdapter, ValidationError
from requests.exceptions import RequestException

from lib import containers
from lib.errors import InputError
from lib.video.trial import Trial


def check_image(engine: DockerClient, key: str, name: str) -> Trial:
    """Return what an environment's engine found, in a container of the image `name` and as the image's own user.

    Raises InputError when the image is not there, or its engine does not work.
    """
    try:
        return TypeAdapter(Trial).validate_json(_said(engine, name, ["python", "-m", "lib.video.trial", key]))
    except ValidationError as error:
        raise InputError(f"{name} is no image of {key} that this version of Régie can try out: {error}") from error


def packages(engine: DockerClient, name: str, layer: str) -> bytes:
    """Return the packages of a layer as lines of a constraints file; InputError when the image is not there."""
    return _said(engine, name, ["cat", f"/opt/regie/{layer}/packages.txt"])


def _said(engine: DockerClient, name: str, command: Sequence[str]) -> bytes:
    """Run a command in a container, without network and gone afterwards, and return what it printed."""
    try:
        container = engine.containers.create(name, list(command), network_mode="none")
    except ImageNotFound as error:
        raise InputError(containers.no_image(name)) from error
    try:
        container.start()
        code = container.wait()["StatusCode"]
        said: bytes = container.logs(stdout=True, stderr=False)
        words = container.logs(stdout=False, stderr=True).decode(errors="replace").strip()
    except (APIError, RequestException) as error:
        raise InputError(f"{name} could not be run: {error}") from error
    finally:
        containers.remove(engine, str(container.id))
    if code:
        raise InputError(f"{name} does not work: {words or f'exit status {code}'}")
    return said
