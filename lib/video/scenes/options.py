"""The options of scene detection."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FAST = {"window": 200, "stride": 150}
"""What the `fast` profile sets where nothing else was asked for."""


class SceneOptions(BaseModel):
    """How scene cuts are found.

    The network looks at `window` frames at a time, `stride` frames further on each time, and its answer counts for the
    `stride` frames that follow the first `padding` ones. The defaults are those with which it was published.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: Literal["exact", "fast"] = Field(
        default="exact",
        description="`exact` finds the cuts of the published model; `fast` takes a window of 200 and a stride of 150 "
        "(where they are not set): a fifth faster; of 109 cuts in a film, two are its own.",
    )
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Probability above which a frame is a scene's last.")
    gradual_frames: int = Field(
        default=2,
        ge=1,
        le=250,
        description="Frames in a row that the model must see in a transition for it to count as gradual.",
    )
    window: int = Field(default=100, ge=1, le=400, description="Frames that the model sees at a time.")
    stride: int = Field(default=50, ge=1, le=400, description="Frames by which the window moves on.")
    padding: int = Field(
        default=25, ge=0, le=200, description="Frames at the beginning of a window for which its answer does not count."
    )

    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Where the model runs; `auto` is the GPU when there is one.",
        json_schema_extra={"affects_result": False},
    )
    decoder_threads: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Threads that decode the video; 0 leaves the number to the decoder.",
        json_schema_extra={"affects_result": False},
    )
    mixed_precision: bool = Field(
        default=True,
        description="Compute in half precision where the processor has it, after a check that the cuts are the same; "
        "frames that it leaves in doubt are computed again in full precision.",
        json_schema_extra={"affects_result": False},
    )
    mixed_precision_type: Literal["auto", "bfloat16", "float16"] = Field(
        default="auto",
        description="The type of half precision; `auto` is bfloat16. float16 is for GPUs.",
        json_schema_extra={"affects_result": False},
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Windows that are computed at the same time; 0 is one per processor core (at most 8). Always 1 on "
        "a GPU.",
        json_schema_extra={"affects_result": False},
    )
    acceleration: Literal["none", "torchscript", "compile"] = Field(
        default="none",
        description="Compile the model before use; when that fails it runs uncompiled, with a note. `compile` needs a "
        "C++ compiler and takes most of a minute: for GPUs and very long videos.",
        json_schema_extra={"affects_result": False},
    )
    warm_up_batches: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Windows of nothing that are computed before the video, so that measurements leave set-up out.",
        json_schema_extra={"affects_result": False},
    )

    @model_validator(mode="before")
    @classmethod
    def _profile(cls, data: Any) -> Any:
        """Let the profile fill in what was not asked for."""
        if isinstance(data, Mapping) and data.get("profile") == "fast":
            return FAST | dict(data)
        return data

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.padding + self.stride > self.window:
            raise ValueError("padding and stride together must fit into the window")
        return self
