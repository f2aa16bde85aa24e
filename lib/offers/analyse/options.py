"""How offers are analysed, and the secrets of the model (which are never options)."""

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class ModelSecrets:
    """What a model is asked with; the key is for this address and nobody may read it."""

    api_key: str = field(repr=False)
    url: str = OPENAI_URL
    model: str = ""
    """The model to ask where the options name none."""


class AnalyseOptions(BaseModel):
    """Phase 3: how well each offer fits the profile."""

    model_config = ConfigDict(extra="forbid")

    engines: list[str] = Field(
        default=["llm", "embedded"], min_length=1, description="Engines in order of preference: the first that can run."
    )
    offers_at_once: int = Field(default=4, ge=1, le=32, description="Offers that a model is asked about at once.")
    model: str = Field(
        default="",
        max_length=200,
        description="Model that is asked; empty: the one of the block `model`, or of OPENAI_MODEL. Without a name, no "
        "model is asked.",
    )
    price_in: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Price of a million tokens that the model reads; without both prices, no cost is stated.",
    )
    price_out: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Price of a million tokens that the model writes."
    )
    timeout: float = Field(
        default=60, gt=0, le=600, description="Seconds after which a request to the model is given up."
    )
    attempts: int = Field(
        default=4, ge=1, le=10, description="Times that the model is asked at most, when it is busy or out of order."
    )
    corrections: int = Field(
        default=2, ge=0, le=5, description="Times that the model is told what is wrong with its answer and asked again."
    )
    answer_tokens: int = Field(default=4000, ge=200, le=100_000, description="Tokens that an answer may have at most.")
    description_limit: int = Field(
        default=12_000, ge=500, le=100_000, description="Characters of an offer's description that the model is given."
    )
