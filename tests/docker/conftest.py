"""A Docker engine and Régie's images on it. Everything is skipped, with the reason, where it cannot be had."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deployments.environments import ENVIRONMENTS
from lib import containers
from lib.errors import UnavailableError

if TYPE_CHECKING:
    from docker import DockerClient

    from deployments.images.building import Built, Plan

BUILT = tuple(ENVIRONMENTS) if os.environ.get("ALL_TESTS") else ("base", "tracking")
"""The images that are built: those with torch take minutes, and are left to `make test-all`."""
BASE_IMAGES = ("regie-bookworm:test", "python:3.11-slim-bookworm")
"""The one that `.ci/run` makes where there is no registry, and the one that Docker fetches."""


@pytest.fixture(scope="session")
def docker_engine() -> Iterator["DockerClient"]:
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(containers.engine())
        except UnavailableError as error:
            pytest.skip(str(error))
        yield engine


@pytest.fixture(scope="session")
def build_plan(docker_engine: "DockerClient") -> "Plan":
    """How images are built here: on a base image that is there, with the CPU build of torch from a folder of wheels."""
    from deployments.images.building import Plan

    here = {tag for image in docker_engine.images.list() for tag in image.tags}
    base = next((name for name in BASE_IMAGES if name in here), None)
    if base is None:
        pytest.skip(f"the Docker engine holds no base image: none of {', '.join(BASE_IMAGES)}")
    wheels = _wheels()
    if wheels is None:
        pytest.skip("no folder with the CPU build of torch: pip knows none (PIP_FIND_LINKS), and CUDA's is gigabytes")
    return Plan(base, wheels=wheels)


@pytest.fixture(scope="session")
def regie_images(docker_engine: "DockerClient", build_plan: "Plan") -> dict[str, "Built"]:
    """Images of this very code; those that were built before cost seconds. They stay on the engine."""
    from deployments.images.building import build_image

    return {key: build_image(docker_engine, key, build_plan, _say) for key in BUILT}


def _wheels() -> Path | None:
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    folders = [Path(line.partition("=")[2].strip("'")) for line in said.stdout.splitlines() if "find-links" in line]
    return next((folder for folder in folders if list(folder.glob("torch-*+cpu*.whl"))), None)


def _say(line: str) -> None:
    print(line, flush=True)
