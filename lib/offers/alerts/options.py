"""Which senders of alerts are added to those that are known."""

from pydantic import BaseModel, ConfigDict, Field


class AlertOptions(BaseModel):
    """The alerts in the mailbox."""

    model_config = ConfigDict(extra="forbid")

    senders: dict[str, str] = Field(
        default={},
        description="Further senders: addresses, or domains that begin with `@`, with the names of their sources.",
    )
