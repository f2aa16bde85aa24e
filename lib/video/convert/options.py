"""How videos are brought to a constant frame rate."""

from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NTSC = tuple(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120))


class ConvertOptions(BaseModel):
    """The frame rate, the encoder, and what happens to the original."""

    model_config = ConfigDict(extra="forbid")

    fps: float = Field(
        default=25.0,
        ge=1,
        le=240,
        description="Frames a second. 23.976, 29.97 and 59.94 stand for the exact rates with denominator 1001.",
    )
    encoder: Literal["auto", "nvenc", "x264"] = Field(
        default="auto",
        description="`auto` takes NVENC where a trial shows that it works, else x264; `nvenc` falls back to x264 too.",
    )
    quality: int = Field(
        default=18,
        ge=1,
        le=51,
        description="Constant quality (CRF of x264, CQ of NVENC): smaller is better, and larger in bytes.",
    )
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"] = Field(
        default="fast", description="How much work x264 puts into a smaller file. NVENC has its own."
    )
    audio_kbps: int = Field(
        default=256,
        ge=32,
        le=512,
        description="Kilobits a second of sound that has to be encoded again as AAC, for stereo.",
    )
    keep_original: bool = Field(
        default=True, description="Keep the original in `originals/` beside the video; otherwise it is replaced."
    )
    accept_truncated: bool = Field(
        default=False, description="Convert what there is of a video that ends before its end, in place of refusing it."
    )
    max_hours: float = Field(
        default=48.0,
        gt=0,
        description="The longest video that is converted: wrong timestamps would fill the disk with repeated pictures.",
    )

    @property
    def rate(self) -> Fraction:
        """The exact frame rate."""
        near = next((rate for rate in NTSC if abs(float(rate) - self.fps) < 0.005), None)
        return near or Fraction(self.fps).limit_denominator(1000)
