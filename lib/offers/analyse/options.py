"""How offers are analysed."""

from pydantic import BaseModel, ConfigDict, Field


class AnalyseOptions(BaseModel):
    """Phase 3: how well each offer fits the profile."""

    model_config = ConfigDict(extra="forbid")

    engines: list[str] = Field(
        default=["llm", "embedded"], min_length=1, description="Engines in order of preference: the first that can run."
    )
    offers_at_once: int = Field(default=4, ge=1, le=32, description="Offers that a model is asked about at once.")
