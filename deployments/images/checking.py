"""What is true of an image: its engine works on a tiny input, and which packages it holds."""

from collections.abc import Sequence

from docker.client import DockerClient
from docker.errors import ContainerError, DockerException, ImageNotFound
from pydantic import TypeAdapter, ValidationError
from requests.exceptions import RequestException

from lib.errors import InputError
from lib.video.trial import Trial


def check_image(client: DockerClient, key: str, name: str) -> Trial:
    """Return what an environment's engine found, in a container of the image `name` and as the image's own user.

    Raises InputError when the image is not there, or its engine does not work.
    """
    try:
        return TypeAdapter(Trial).validate_json(_said(client, name, ["python", "-m", "lib.video.trial", key]))
    except ValidationError as error:
        raise InputError(f"{name} is no image of {key} that this version of Régie can try out: {error}") from error


def packages(client: DockerClient, name: str, layer: str) -> bytes:
    """Return the packages of a layer as lines of a constraints file; InputError when the image is not there."""
    return _said(client, name, ["cat", f"/opt/regie/{layer}/packages.txt"])


def _said(client: DockerClient, name: str, command: Sequence[str]) -> bytes:
    """Run a command in a container, without network and gone afterwards, and return what it printed."""
    try:
        said: bytes = client.containers.run(name, list(command), network_mode="none", remove=True)
    except ImageNotFound as error:
        raise InputError(f"The Docker engine holds no image {name}: `regie images build` builds it.") from error
    except ContainerError as error:
        stderr = error.stderr or b""
        words = stderr if isinstance(stderr, str) else stderr.decode(errors="replace")
        words = words.strip() or f"exit status {error.exit_status}"
        raise InputError(f"{name} does not work: {words}") from error
    except (DockerException, RequestException) as error:
        raise InputError(f"{name} could not be run: {error}") from error
    return said
