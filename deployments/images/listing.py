"""Which images the Docker engine holds, and what they share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from docker.client import DockerClient
from docker.models.images import Image

from deployments.environments import ENVIRONMENTS
from deployments.images.names import image_name

EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
"""The layer of a step that changed no file: the digest of 1024 zero bytes, an empty tar archive."""


@dataclass(frozen=True)
class Listed:
    """An image of an environment."""

    environment: str
    name: str
    id: str
    created: datetime
    current: bool
    """Whether it is the one that would be run: of this code, or of the tag that is set."""
    size: int
    """Bytes of all of its layers."""
    unique: int
    """Bytes of the layers that no current image of another environment has."""


def images_here(client: DockerClient) -> list[Listed]:
    """Return the images of all environments, under every tag; current ones come first."""
    found = []
    layers: dict[str, Mapping[str, int]] = {}
    for key in ENVIRONMENTS:
        current = image_name(key)
        for image in client.images.list(name=current.rpartition(":")[0]):
            for name in image.tags:
                found.append((key, name, image, name == current))
                if name == current:
                    layers[key] = layers_of(image)
    listed = [
        Listed(
            key,
            name,
            str(image.id),
            datetime.fromisoformat(image.attrs["Created"]),
            current,
            int(image.attrs["Size"]),
            unique_bytes(layers_of(image), (each for other, each in layers.items() if other != key)),
        )
        for key, name, image, current in found
    ]
    return sorted(listed, key=lambda each: (not each.current, tuple(ENVIRONMENTS).index(each.environment), each.name))


def unique_bytes(layers: Mapping[str, int], others: Iterable[Mapping[str, int]]) -> int:
    """Return the bytes of the layers that none of the others has."""
    shared = {layer for each in others for layer in each}
    return sum(size for layer, size in layers.items() if layer not in shared)


def layers_of(image: Image) -> dict[str, int]:
    """Return the layers of an image with their bytes, those of the base image first."""
    layers: Sequence[str] = image.attrs["RootFS"]["Layers"]
    # The history goes backwards and knows steps that made no layer, or an empty one: both have no bytes.
    sizes = [step["Size"] for step in reversed(image.history()) if step["Size"]]
    return dict(zip((layer for layer in layers if layer != EMPTY_LAYER), sizes, strict=False))
