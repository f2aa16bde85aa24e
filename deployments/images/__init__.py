"""Docker images, one per environment: how they are named, built and checked."""

from deployments.images.names import image_name, missing_images

__all__ = ["image_name", "missing_images"]
