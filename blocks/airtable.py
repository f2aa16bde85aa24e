"""The block of Airtable, where a table of offers may be."""

from collections.abc import Mapping
from typing import ClassVar, Self

import orjson
from pydantic import Field, HttpUrl, SecretStr, field_validator

from blocks.http import get
from blocks.service import ServiceBlock, private_address
from lib.errors import UnavailableError

API = "https://api.airtable.com"


class Airtable(ServiceBlock):
    """A token for Airtable."""

    _block_type_name = "Régie Airtable"
    _block_type_slug = "regie-airtable"
    _documentation_url = HttpUrl("https://airtable.com/developers/web/guides/personal-access-tokens")
    _description = "A personal access token that may read and write the base with the table of offers."

    key: ClassVar[str] = "airtable"
    used_for: ClassVar[str] = "the workflow `offers`, where its store is `airtable`"
    variables: ClassVar[tuple[str, ...]] = ("AIRTABLE_API_KEY", "AIRTABLE_ENDPOINT_URL")

    token: SecretStr = Field(
        title="Token",
        description="Personal access token (pat…) with access to the base and the scopes data.records:read, "
        "data.records:write and schema.bases:read.",
    )
    endpoint: str = Field(
        default=API, title="Endpoint", description="Address of Airtable's API, or of a proxy of your own."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return the token of `AIRTABLE_API_KEY`, for the endpoint of `AIRTABLE_ENDPOINT_URL`."""
        token = environment.get("AIRTABLE_API_KEY", "").strip()
        endpoint = environment.get("AIRTABLE_ENDPOINT_URL", "").strip() or API
        return cls(token=SecretStr(token), endpoint=endpoint) if token else None

    @field_validator("endpoint")
    @classmethod
    def _is_private(cls, value: str) -> str:
        return private_address(value)

    def check(self) -> str:
        """Ask whose the token is; raises UnavailableError that says what to do.

        Whether it may use the base, and whether that is made as the settings say, `regie offers check` finds out.
        """
        answer = get(f"{self.endpoint}/v0/meta/whoami", self.token.get_secret_value())
        if answer.status in {401, 403}:
            raise UnavailableError("Airtable does not accept the token: make a new one at airtable.com/create/tokens.")
        if answer.status == 429:
            raise UnavailableError("Airtable is asked too often at the moment: try again in a minute.")
        if answer.status != 200:
            raise UnavailableError(f"{self.endpoint} answers {answer.status}: is it Airtable? Check the endpoint.")
        try:
            who = str(orjson.loads(answer.body)["id"])[:50]
        except (ValueError, KeyError, TypeError):
            raise UnavailableError(f"What answers at {self.endpoint} is not Airtable: check the endpoint.") from None
        return f"the token of {who} is accepted (`regie offers check` compares the base with the settings)"
