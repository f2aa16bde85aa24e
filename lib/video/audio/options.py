"""The options of the analysis of who speaks when, and the secrets of its engines (which are never options)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LEMONFOX_URL = "https://api.lemonfox.ai/v1"
LEMONFOX_EU_URL = "https://eu-api.lemonfox.ai/v1"
PYANNOTE_MODEL = "pyannote/speaker-diarization-community-1"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Secrets:
    """What engines need and nobody may read: not in options, files, messages or this object's text."""

    hf_token: str | None = field(default=None, repr=False)
    lemonfox_api_key: str | None = field(default=None, repr=False)
    hf_endpoint: str | None = None
    """Address that the token is for; without one, what Hugging Face's own packages take."""
    lemonfox_url: str | None = None
    """Address that the key is for: it is sent to no other. Without one, to whichever the options name."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the secrets from `HF_TOKEN` and `LEMONFOX_API_KEY`; one that is empty is one that is missing."""
        environment = os.environ if environment is None else environment
        return cls(
            hf_token=environment.get("HF_TOKEN", "").strip() or None,
            lemonfox_api_key=environment.get("LEMONFOX_API_KEY", "").strip() or None,
        )


class AudioOptions(BaseModel):
    """How it is found out who speaks when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engines: tuple[str, ...] = Field(
        default=("pyannote", "lemonfox", "embedded"),
        min_length=1,
        description="Engines in the order in which they are tried; one that is missing or fails gives way to the next.",
        json_schema_extra={"affects_result": False},  # the engine that spoke does, and it is named by itself
    )
    num_speakers: int | None = Field(
        default=None, ge=1, le=50, description="Number of speakers, where it is known; else it is found."
    )
    min_speakers: int | None = Field(default=None, ge=1, le=50, description="Speakers there are at least.")
    max_speakers: int | None = Field(default=None, ge=1, le=50, description="Speakers there are at most.")
    language: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z -]{1,30}$",
        description="Language that is spoken, for Lemonfox (`english`, `fr`, …); when empty it is recognised.",
    )

    gap_fill: float = Field(
        default=0.1, ge=0, le=10, description="Pauses of a speaker of up to so many seconds are spoken through."
    )
    min_on: float = Field(default=0.1, ge=0, le=10, description="Speech shorter than so many seconds is left out.")
    min_off: float = Field(
        default=0.1, ge=0, le=10, description="Silence of everybody shorter than so many seconds is closed."
    )

    pyannote_model: str = Field(
        default=PYANNOTE_MODEL,
        min_length=1,
        description="pyannote pipeline: the id of a model (which needs a token), or the path of a folder with a "
        "`config.yaml`, or of that file. It is code and weights from its author: take one that you trust.",
    )
    pyannote_preset: Path | None = Field(
        default=None,
        description="YAML file of hyper-parameters of the pipeline (`params:`); if they do not fit, its own are used.",
    )
    pyannote_batch: int = Field(
        default=32,
        ge=1,
        le=512,
        description="Windows that pyannote's networks look at together.",
        json_schema_extra={"affects_result": False},
    )

    lemonfox_eu: bool = Field(
        default=False,
        description="Use Lemonfox's servers in the European Union (dearer by a fifth).",
        json_schema_extra={"affects_result": False},
    )
    lemonfox_url: str | None = Field(
        default=None,
        description="Base address of a server with the same interface; when empty, Lemonfox's own.",
        json_schema_extra={"affects_result": False},
    )
    lemonfox_timeout: float = Field(
        default=900,
        gt=0,
        le=7200,
        description="Seconds after which a request to Lemonfox is given up.",
        json_schema_extra={"affects_result": False},
    )
    lemonfox_attempts: int = Field(
        default=4,
        ge=1,
        le=10,
        description="Times that Lemonfox is asked at most, when it is busy or out of order.",
        json_schema_extra={"affects_result": False},
    )

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where the networks run; `auto` is the GPU when there is one.",
        json_schema_extra={"affects_result": False},
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Threads of the networks on the processor; 0 leaves the number to them.",
        json_schema_extra={"affects_result": False},
    )

    @field_validator("lemonfox_url")
    @classmethod
    def _keep_the_key_private(cls, value: str | None) -> str | None:
        """Refuse addresses over which the key would travel in clear."""
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("give scheme, host, port and path only")
        if parts.scheme == "https" and parts.hostname:
            return value.rstrip("/")
        if parts.scheme == "http" and parts.hostname in LOOPBACK:
            return value.rstrip("/")
        raise ValueError("give an https:// address: the key would be readable on the way")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.min_speakers or 1, self.max_speakers or 50
        if low > high:
            raise ValueError("min_speakers is greater than max_speakers")
        if self.num_speakers is not None and not low <= self.num_speakers <= high:
            raise ValueError("num_speakers is not between min_speakers and max_speakers")
        return self
