"""How polite and how careful the client of the web is."""

from pydantic import BaseModel, ConfigDict, Field


class WebOptions(BaseModel):
    """The client that fetches pages."""

    model_config = ConfigDict(extra="forbid")

    allow_private: bool = Field(
        default=False, description="Fetch also from private addresses, such as those of the local network."
    )
