"""The secrets of the engines that work with outside services."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from blocks.documents import load
from blocks.huggingface import HuggingFace
from blocks.lemonfox import Lemonfox
from blocks.service import ServiceBlock
from lib.errors import UnavailableError
from lib.video.audio.options import Secrets

B = TypeVar("B", bound=ServiceBlock)


def audio_secrets(say: Callable[[str], None]) -> Secrets:
    """Return the secrets of the engines that find out who speaks: each from the environment, else from its block.

    A block that cannot be used counts as none, and why is said: an engine without a secret gives way to the next.
    """

    def block(kind: type[B]) -> B | None:
        try:
            return load(kind)
        except UnavailableError as error:
            say(str(error))
            return None

    found = Secrets.from_environment()
    if not found.hf_token and (hub := block(HuggingFace)):
        found = replace(found, hf_token=hub.token.get_secret_value(), hf_endpoint=hub.endpoint)
    if not found.lemonfox_api_key and (service := block(Lemonfox)):
        found = replace(found, lemonfox_api_key=service.api_key.get_secret_value(), lemonfox_url=service.url)
    return found
