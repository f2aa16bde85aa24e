"""The block of Hugging Face, where pyannote's models are."""

from collections.abc import Mapping
from typing import ClassVar, Self

import orjson
from pydantic import Field, HttpUrl, SecretStr, field_validator

from blocks.http import get
from blocks.service import ServiceBlock, private_address
from lib.errors import UnavailableError
from lib.settings import settings
from lib.video.audio.options import Secrets

HUB = "https://huggingface.co"


class HuggingFace(ServiceBlock):
    """A token for Hugging Face."""

    _block_type_name = "Régie Hugging Face"
    _block_type_slug = "regie-huggingface"
    _documentation_url = HttpUrl("https://huggingface.co/docs/hub/security-tokens")
    _description = "A token that may read pyannote's models, whose conditions its owner has accepted."

    key: ClassVar[str] = "huggingface"
    used_for: ClassVar[str] = "the engine pyannote of phase 4 (audio), which fetches its model there"
    variables: ClassVar[tuple[str, ...]] = ("HF_TOKEN",)

    token: SecretStr = Field(title="Token", description="Access token with the permission to read: hf_…")
    endpoint: str = Field(
        default=HUB, title="Endpoint", description="Address of Hugging Face, or of a mirror of your own."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return the token of `HF_TOKEN`, for the endpoint of `HF_ENDPOINT`."""
        token = Secrets.from_environment(environment).hf_token
        return cls(token=SecretStr(token), endpoint=environment.get("HF_ENDPOINT") or HUB) if token else None

    @field_validator("endpoint")
    @classmethod
    def _is_private(cls, value: str) -> str:
        return private_address(value)

    def check(self) -> str:
        """Ask whose the token is, and whether it may read the model that the settings name.

        Raises UnavailableError that says what to do.
        """
        token = self.token.get_secret_value()
        answer = get(f"{self.endpoint}/api/whoami-v2", token)
        if answer.status == 401:
            raise UnavailableError("Hugging Face does not accept the token: make a new one in its settings.")
        if answer.status != 200:
            raise UnavailableError(f"{self.endpoint} answers {answer.status}: is it Hugging Face? Check the endpoint.")
        who = _name(answer.body, self.endpoint)
        model = settings().video.audio.pyannote_model
        if model.startswith((".", "/", "~")):
            return f"the token of {who} is accepted (the model is a folder of this machine: {model})"
        answer = get(f"{self.endpoint}/api/models/{model}/auth-check", token)
        if answer.status in {401, 403}:
            raise UnavailableError(
                f"The token of {who} may not read {model}: accept its conditions at {self.endpoint}/{model}, and let a "
                "fine-grained token read gated repositories."
            )
        if answer.status == 404:
            raise UnavailableError(f"There is no model {model}: check the setting video.audio.pyannote_model.")
        if answer.status != 200:
            raise UnavailableError(f"{self.endpoint} answers {answer.status} when asked for {model}: try again later.")
        return f"the token of {who} is accepted and may read {model}"


def _name(body: bytes, endpoint: str) -> str:
    try:
        return str(orjson.loads(body)["name"])[:100]
    except (ValueError, KeyError, TypeError):
        raise UnavailableError(f"What answers at {endpoint} is not Hugging Face: check the endpoint.") from None
