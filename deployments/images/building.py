"""Building an image on a Docker engine, and what becomes of it said as it goes."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten
from typing import Any
from urllib.parse import urlsplit

from docker.client import DockerClient
from docker.errors import APIError
from requests.exceptions import RequestException

from deployments.environments import PROJECT, environment
from deployments.images import context
from deployments.images.names import image_name
from lib.errors import InputError

INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
KEPT_LINES = 25
"""Of what a failed build said last: pip's reason and the step that it happened in."""
SAID_CHARACTERS = 100
"""Of a step."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""In which the engine writes what went to standard error."""
CODE_LABEL = "regie.code"


@dataclass(frozen=True)
class Built:
    """An image that was built."""

    environment: str
    name: str
    id: str
    seconds: float
    steps: int
    cached: int
    """How many of the steps were taken from an earlier build."""


@dataclass(frozen=True)
class Plan:
    """How images are built."""

    base_image: str
    engine: str | None = None
    """An engine that audio does not have otherwise: pyannote."""
    wheels: Path | None = None
    """A folder of wheels that are installed where they are wanted, besides those of the package index."""
    constraints: Path | None = None
    """A folder that `regie images freeze` wrote: exactly these versions."""
    tag: str | None = None
    """In place of the one that `image_name` makes."""


def build_image(client: DockerClient, key: str, plan: Plan, say: Callable[[str], None] = lambda _line: None) -> Built:
    """Build the image of an environment; steps that were done before are not done again.

    Raises InputError with the engine's last words when it fails.
    """
    if plan.engine is not None and plan.engine not in environment(key).engines:
        raise InputError(f"{key} has no engine {plan.engine!r} to add.")
    name = image_name(key) if plan.tag is None else f"{image_name(key).rpartition(':')[0]}:{plan.tag}"
    files = context.contents(plan.engine)
    started = time.monotonic()
    with tempfile.TemporaryFile() as archive:
        context.write(archive, files, plan.wheels, plan.constraints)
        archive.seek(0)
        try:
            answers = client.api.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=f"images/{key}/Dockerfile",
                tag=name,
                buildargs={"BASE_IMAGE": plan.base_image, **index_settings(os.environ)},
                labels=_labels(key, context.digest(files)),
                # An index on this machine can be reached too, and no network of the engine's own is needed.
                network_mode="host",
                rm=True,
                forcerm=True,
                decode=True,
            )
            steps, cached = _follow(key, answers, say)
        except (APIError, RequestException) as error:
            raise InputError(explanation(key, [str(error)])) from error
    return Built(key, name, str(client.images.get(name).id), time.monotonic() - started, steps, cached)


def index_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of pip's package index that a build can use: an address that is a folder here is none there.

    They reach the stages that install, and nothing of them the image.
    """
    found = {}
    for name in INDEXES:
        addresses = [each for each in environ.get(name, "").split() if urlsplit(each).scheme in {"http", "https"}]
        if addresses:
            found[name] = " ".join(addresses)
    if found and environ.get("PIP_TRUSTED_HOST"):
        found["PIP_TRUSTED_HOST"] = environ["PIP_TRUSTED_HOST"]
    return found


def revision() -> str:
    """Return the commit that is checked out, with `+` behind it when files were changed since; empty without git."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty=+", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def explanation(key: str, lines: Sequence[str]) -> str:
    """Return why the image of an environment could not be built, from what the engine said, and what to do."""
    text = "\n".join(lines[-KEPT_LINES:])
    advice = "Mend what it says and build again: steps that were done are kept."
    if "no space left on device" in text.lower():
        advice = (
            "The disk of the Docker engine is full: `docker system df` says of what; `regie images list` knows ours."
        )
    elif "pull access denied" in text or "manifest unknown" in text or "dial tcp" in text:
        advice = "The base image cannot be had: name another with --base-image or the setting `docker_base_image`."
    elif "No matching distribution" in text:
        advice = "A package cannot be had: name a folder of wheels with --wheels, or an index with PIP_INDEX_URL."
    return f"The image of {key} could not be built:\n{text}\n{advice}"


def _labels(key: str, digest: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": f"regie-{key}",
        "org.opencontainers.image.version": version("regie"),
        "org.opencontainers.image.revision": revision(),
        CODE_LABEL: digest,
    }


def _follow(key: str, answers: Iterator[Mapping[str, Any]], say: Callable[[str], None]) -> tuple[int, int]:
    """Say each step that is not taken from an earlier build; return how many steps there were, and were taken."""
    said: list[str] = []
    step, steps, cached = "", 0, 0
    for answer in answers:
        if "error" in answer:
            raise InputError(explanation(key, [*said, str(answer["error"])]))
        for line in filter(str.strip, COLOUR.sub("", str(answer.get("stream", ""))).splitlines()):
            said = [*said, line][-KEPT_LINES:]
            if line.startswith("Step "):
                step, steps = line, steps + 1
            elif line.strip() == "---> Using cache":
                step, cached = "", cached + 1
            elif step:
                say(f"{key}: {shorten(step, SAID_CHARACTERS)}")
                step = ""
    return steps, cached
