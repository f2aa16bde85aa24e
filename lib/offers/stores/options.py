"""Where and how offers are kept."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lib.offers.statuses import StatusNames

FieldName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^{}]+$")]
"""Braces would end the name where it stands in a formula."""


class AirtableFields(BaseModel):
    """What the fields of the user's table are called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    link: FieldName = Field(default="Lien", description="Field with the offer's own address; a row per link.")
    key: FieldName = Field(default="Clé", description="Field with what tells offers apart where links differ.")
    source: FieldName = Field(default="Source", description="Field with the site that sent the alert.")
    title: FieldName = Field(default="Titre", description="Field with the title.")
    company: FieldName = Field(default="Entreprise", description="Field with the company.")
    place: FieldName = Field(default="Lieu", description="Field with the place.")
    contract: FieldName = Field(default="Contrat", description="Field with the contract.")
    salary: FieldName = Field(default="Salaire", description="Field with the salary.")
    remote: FieldName = Field(default="Télétravail", description="Field with how much of the work is remote.")
    published: FieldName = Field(default="Publiée le", description="Field with the day it was published.")
    expires: FieldName = Field(default="Expire le", description="Field with the day it expires.")
    description: FieldName = Field(default="Description", description="Field with the text of its page.")
    status: FieldName = Field(default="Statut", description="Field with its status.")
    score: FieldName = Field(default="Score", description="Field with its score, from 0 to 100.")
    reasons: FieldName = Field(default="Raisons", description="Field with marks and their reasons.")
    profile: FieldName = Field(
        default="Profil", description="Field with digest of the profile that it was analysed with."
    )
    note: FieldName = Field(default="Note", description="Field with what happened to it.")
    seen: FieldName = Field(default="Reçue le", description="Field with when the alert was sent.")

    @model_validator(mode="after")
    def _differ(self) -> "AirtableFields":
        names = list(self.model_dump().values())
        if len(set(names)) < len(names):
            raise ValueError("two fields have the same name")
        return self


class AirtableOptions(BaseModel):
    """The user's base: what it is, and what its table and fields are called."""

    model_config = ConfigDict(extra="forbid")

    base: str = Field(default="", pattern=r"^(app[A-Za-z0-9]+)?$", max_length=50, description="Id of the base: app…")
    table: str = Field(default="Offres", min_length=1, description="Name or id of the table of offers.")
    fields: AirtableFields = Field(default_factory=AirtableFields, description="What its fields are called.")
    requests_per_second: int = Field(
        default=5,
        ge=1,
        le=50,
        description="How often the base is asked. Airtable takes 5 requests a second from all programs together: give "
        "less where others ask it too.",
    )


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
