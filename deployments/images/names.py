"""How images are named, and which of them are missing."""

from collections.abc import Mapping
from importlib.metadata import version

from deployments.environments import environment
from deployments.images.context import contents, digest
from lib import containers
from lib.settings import settings


def image_name(key: str) -> str:
    """Return the name of an environment's image, with its tag: `regie-scenes:0.1.0-3f2a9c1b77d0`.

    The tag is the version and a digest of the code, the Dockerfiles and the packages asked for: an image of that name
    holds this very code. The settings `docker_registry` and `docker_tag` put a registry before the name and another tag
    in the tag's place. Raises InputError for an environment that there is not, and where the source is not.
    """
    chosen = settings()
    tag = chosen.docker_tag or f"{version('regie')}-{digest(contents())}"
    registry = f"{chosen.docker_registry.rstrip('/')}/" if chosen.docker_registry else ""
    return f"{registry}regie-{environment(key).key}:{tag}"


def missing_images(names: Mapping[str, str]) -> dict[str, str]:
    """Return which of these images, by environment, this machine's Docker engine does not hold.

    `regie images build ENV…` builds Régie's own. Raises UnavailableError when no engine answers.
    """
    from docker.errors import ImageNotFound

    missing = {}
    with containers.engine() as engine:
        for key, name in names.items():
            try:
                engine.images.get(name)
            except ImageNotFound:
                missing[key] = name
    return missing
