"""The statuses of an offer, in the order of the table's columns, and what the user's table calls them."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Status(StrEnum):
    """How far an offer is."""

    TO_IMPORT = "to_import"
    """Found, not imported yet: alerts that wait in the mailbox count here."""
    TO_COMPLETE = "to_complete"
    TO_ANALYSE = "to_analyse"
    ANALYSED = "analysed"
    EXPIRED = "expired"
    IGNORED = "ignored"
    """Set by a person: never worked on."""
    ERROR = "error"
    OTHER = "other"
    """A status of the user's own, or none: shown, never worked on, never overwritten."""


OPEN = (Status.TO_IMPORT, Status.TO_COMPLETE, Status.TO_ANALYSE, Status.ERROR)
"""The statuses of offers that may still be worked on."""


class StatusNames(BaseModel):
    """What the statuses are called in the store."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to_import: str = Field(default="A importer", min_length=1, description="Name of the status `to_import`.")
    to_complete: str = Field(default="A compléter", min_length=1, description="Name of the status `to_complete`.")
    to_analyse: str = Field(default="À analyser", min_length=1, description="Name of the status `to_analyse`.")
    analysed: str = Field(default="Analysée", min_length=1, description="Name of the status `analysed`.")
    expired: str = Field(default="Expirée", min_length=1, description="Name of the status `expired`.")
    ignored: str = Field(default="Ignorée", min_length=1, description="Name of the status `ignored`.")
    error: str = Field(default="Erreur", min_length=1, description="Name of the status `error`.")
    other: str = Field(default="Autre", min_length=1, description="How statuses of your own are shown, together.")

    @model_validator(mode="after")
    def _differ(self) -> "StatusNames":
        if len({name.casefold() for name in self.model_dump().values()}) < len(Status):
            raise ValueError("two statuses have the same name")
        return self

    def name(self, status: Status) -> str:
        """Return what a status is called."""
        return str(getattr(self, status.value))

    def status(self, name: str) -> Status:
        """Return the status of this name, whatever the case of its letters; OTHER for one that is none of ours."""
        wanted = name.strip().casefold()
        return next((each for each in Status if self.name(each).casefold() == wanted), Status.OTHER)
