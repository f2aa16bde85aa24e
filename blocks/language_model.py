"""The block of a language model, which marks offers."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import orjson
from pydantic import Field, HttpUrl, SecretStr, field_validator

from blocks.documents import in_use
from blocks.http import get
from blocks.service import ServiceBlock, private_address
from lib.errors import UnavailableError
from lib.offers.analyse.options import OPENAI_URL, ModelSecrets
from lib.settings import settings


class LanguageModel(ServiceBlock):
    """A key for a service with an interface like OpenAI's, the address that it is for, and the model to ask there."""

    _block_type_name = "Régie Language Model"
    _block_type_slug = "regie-model"
    _documentation_url = HttpUrl("https://platform.openai.com/docs/api-reference/authentication")
    _description = "A key for a language model, which is sent your profile and the texts of offers."

    key: ClassVar[str] = "model"
    used_for: ClassVar[str] = "the engine llm of phase 3 of `offers` (analyse)"
    variables: ClassVar[tuple[str, ...]] = ("OPENAI_API_KEY",)

    api_key: SecretStr = Field(title="API key", description="Key of the account; any word for a server without keys.")
    url: str = Field(
        default=OPENAI_URL,
        title="Address",
        description="Base address that the key is for; its interface is like OpenAI's.",
    )
    model: str | None = Field(
        default=None,
        max_length=200,
        title="Model",
        description="Name of the model; when empty, the setting `offers.analyse.model` names it.",
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return the key of `OPENAI_API_KEY`, for `OPENAI_BASE_URL`, with the model of `OPENAI_MODEL`."""
        key = environment.get("OPENAI_API_KEY", "").strip()
        url = environment.get("OPENAI_BASE_URL", "").strip() or OPENAI_URL
        return cls(api_key=SecretStr(key), url=url, model=environment.get("OPENAI_MODEL")) if key else None

    @field_validator("url")
    @classmethod
    def _is_private(cls, value: str) -> str:
        return private_address(value)

    def secrets(self) -> ModelSecrets:
        """Return what an engine asks the model with, in plain text: not for logs, parameters or files."""
        return ModelSecrets(self.api_key.get_secret_value(), self.url, self.model or "")

    def check(self) -> str:
        """Ask which models there are, and whether that which is to be asked is one; costs nothing.

        Raises UnavailableError that says what to do.
        """
        answer = get(f"{self.url}/models", self.api_key.get_secret_value())
        if answer.status in {401, 403}:
            raise UnavailableError(f"{self.url} does not accept the key: make a new one.")
        if answer.status != 200:
            raise UnavailableError(f"{self.url}/models answers {answer.status}: check the address.")
        names = _names(answer.body, self.url)
        model = settings().offers.analyse.model or self.model
        if not model:
            return f"{self.url} accepts the key; no model is named, so that none is asked"
        if model not in names:
            raise UnavailableError(f"{self.url} has no model {model}: check its name.")
        return f"{self.url} accepts the key and has the model {model}"


def model_secrets(say: Callable[[str], None]) -> ModelSecrets | None:
    """Return what a model is asked with, from the environment or the block; None when there is neither.

    What cannot be used counts as none, and why is said.
    """
    try:
        found = in_use(LanguageModel)
    except UnavailableError as error:
        say(str(error))
        return None
    return found[0].secrets() if found else None


def _names(body: bytes, url: str) -> frozenset[str]:
    try:
        return frozenset(str(each["id"]) for each in orjson.loads(body)["data"])
    except (ValueError, KeyError, TypeError):
        raise UnavailableError(f"What answers at {url} is no interface like OpenAI's: check the address.") from None
