"""The Docker engine of this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.client import DockerClient
from docker.errors import DockerException
from requests.exceptions import RequestException

from lib.errors import InputError

SECONDS_TO_ANSWER = 600
"""Until a call is given up: an engine that unpacks a layer of gigabytes on a slow disk is silent for long."""


@contextmanager
def docker_client() -> Iterator[DockerClient]:
    """Connect to the Docker engine that DOCKER_HOST names, or this machine's; InputError when none answers."""
    try:
        client = docker.from_env(timeout=SECONDS_TO_ANSWER)
    except DockerException as error:
        raise InputError(_unreachable(error)) from error
    try:
        client.ping()
    except (DockerException, RequestException) as error:
        client.close()
        raise InputError(_unreachable(error)) from error
    try:
        yield client
    finally:
        client.close()


def _unreachable(error: Exception) -> str:
    return (
        f"No Docker engine answers ({error}). Start one (`systemctl start docker`), or name its address in "
        "DOCKER_HOST; its socket is for members of the group `docker`."
    )
