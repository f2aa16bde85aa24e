"""What the docker profile needs of this machine: images, and folders to share."""

from collections.abc import Callable, Sequence

from lib.containers import shared_folders
from lib.errors import InputError, UnavailableError
from lib.settings import Settings


def require_containers(environments: Sequence[str], config: Settings, say: Callable[[str], None]) -> None:
    """Have the images of these environments chosen, once for all processes, and say which are not on this machine.

    InputError when no container can be started at all. Nothing is done with another profile.
    """
    if config.profile != "docker":
        return
    config.docker_images = images_of(environments, config)
    from deployments.images import missing_images

    if absent := [str(folder) for folder in shared_folders(config) if not folder.is_dir()]:
        raise InputError(f"There is no folder {', '.join(absent)} (setting docker_volumes) to share with containers.")
    try:
        missing = missing_images(config.docker_images)
    except UnavailableError as error:
        raise InputError(str(error)) from error
    if missing and config.docker_pull == "Never":
        say(
            f"Not on this machine: {', '.join(missing.values())}. What needs them will fail: `regie images build "
            f"{' '.join(missing)}` builds Régie's own; the settings docker_images and docker_pull name others."
        )


def images_of(environments: Sequence[str], config: Settings) -> dict[str, str]:
    """Return the names of the images of these environments."""
    return {key: image_of(key, config) for key in environments}


def image_of(environment: str, config: Settings) -> str:
    """Return the name of the image that an environment's containers are made of."""
    if image := config.docker_images.get(environment):
        return image
    from deployments.images import image_name

    return image_name(environment)
