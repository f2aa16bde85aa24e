"""Which messages are looked at, and what becomes of those that were imported."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MailOptions(BaseModel):
    """The mailbox with alerts."""

    model_config = ConfigDict(extra="forbid")

    folder: str = Field(default="INBOX", min_length=1, description="Folder of an IMAP mailbox in which alerts arrive.")
    afterwards: Literal["flag", "move"] = Field(
        default="flag", description="What becomes of an imported message of an IMAP mailbox: flagged as read, or moved."
    )
    moved_to: str = Field(default="Imported", min_length=1, description="Folder that imported messages are moved to.")
    timeout: float = Field(default=60, gt=0, description="Seconds that an IMAP server may keep silent.")
    message_limit_mb: float = Field(default=25, gt=0, description="Largest message that is read, in megabytes.")
