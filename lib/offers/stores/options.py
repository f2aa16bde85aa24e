"""Where and how offers are kept."""

from pydantic import BaseModel, ConfigDict, Field

from lib.offers.statuses import StatusNames


class AirtableOptions(BaseModel):
    """The user's base: what it is, and what its table and fields are called."""

    model_config = ConfigDict(extra="forbid")

    base: str = Field(default="", description="Id of the base: app…")
    table: str = Field(default="Offres", min_length=1, description="Name or id of the table of offers.")


class StoreOptions(BaseModel):
    """The store of offers."""

    model_config = ConfigDict(extra="forbid")

    open_only: bool = Field(
        default=False,
        description="Load only offers that may still be worked on: fewer calls; the table shows no others, and a "
        "profile that changed leads to no new analysis.",
    )
    statuses: StatusNames = Field(default_factory=StatusNames, description="What the statuses are called.")
    airtable: AirtableOptions = Field(default_factory=AirtableOptions, description="The base in Airtable.")
