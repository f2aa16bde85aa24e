"""Which senders of alerts are added to those that are known."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Address = Annotated[str, Field(pattern=r"^[^@\s]*@[^@\s]+$")]


class AlertOptions(BaseModel):
    """The alerts in the mailbox."""

    model_config = ConfigDict(extra="forbid")

    senders: dict[Address, Annotated[str, Field(min_length=1)]] = Field(
        default={},
        description="Further senders: addresses, or domains that begin with `@`, with the names of their sources.",
    )
