"""The block of Lemonfox, which transcribes and says who speaks."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, HttpUrl, SecretStr, field_validator

from blocks.service import ServiceBlock, private_address
from lib.settings import settings
from lib.video.audio.engines import lemonfox
from lib.video.audio.options import LEMONFOX_EU_URL, LEMONFOX_URL, Secrets


class Lemonfox(ServiceBlock):
    """A key for Lemonfox, and the address that it is for."""

    _block_type_name = "Régie Lemonfox"
    _block_type_slug = "regie-lemonfox"
    _documentation_url = HttpUrl("https://www.lemonfox.ai/apis/speech-to-text")
    _description = "A key for Lemonfox, which is sent the sound of videos, never their pictures."

    key: ClassVar[str] = "lemonfox"
    used_for: ClassVar[str] = "the engine Lemonfox of phase 4 (audio)"
    variables: ClassVar[tuple[str, ...]] = ("LEMONFOX_API_KEY",)

    api_key: SecretStr = Field(title="API key", description="Key of the account at Lemonfox.")
    url: str = Field(
        default=LEMONFOX_URL,
        title="Address",
        description=f"Base address that the key is for; {LEMONFOX_EU_URL} is Lemonfox in the European Union.",
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return the key of `LEMONFOX_API_KEY`, for the address that the settings name."""
        secrets = Secrets.from_environment(environment)
        url = lemonfox.address(settings().video.audio, secrets) or LEMONFOX_URL
        return cls(api_key=SecretStr(secrets.lemonfox_api_key), url=url) if secrets.lemonfox_api_key else None

    @field_validator("url")
    @classmethod
    def _is_private(cls, value: str) -> str:
        return private_address(value)

    def check(self) -> str:
        """Have a second of silence transcribed, which costs next to nothing; raises UnavailableError."""
        lemonfox.try_out(Secrets(lemonfox_api_key=self.api_key.get_secret_value(), lemonfox_url=self.url))
        return f"{self.url} accepts the key and transcribes"
