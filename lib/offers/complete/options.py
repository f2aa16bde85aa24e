"""How the pages of offers are fetched and read."""

from pydantic import BaseModel, ConfigDict, Field


class CompleteOptions(BaseModel):
    """Phase 2: the page of each offer."""

    model_config = ConfigDict(extra="forbid")

    pages_at_once: int = Field(default=4, ge=1, le=32, description="Pages that are fetched at the same time.")
