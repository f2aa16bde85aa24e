"""Which encoder does the work: NVENC where a trial shows that it can, x264 otherwise."""

import functools
import re
from dataclasses import dataclass
from typing import Literal

from lib.progress import silent
from lib.video.convert import ffmpeg
from lib.video.convert.options import ConvertOptions

X264_THREADS = 8
"""Fixed, because x264 writes other bytes with another number of threads, and the content's hash drives the caches."""

TRIAL = ("-f", "lavfi", "-i", "color=black:s=256x256:r=25:d=0.2", "-c:v", "h264_nvenc", "-f", "null", "-")


@dataclass(frozen=True)
class Encoder:
    """The encoder that was chosen and why, in words."""

    name: Literal["nvenc", "x264"]
    reason: str

    def arguments(self, options: ConvertOptions) -> list[str]:
        """Return FFmpeg's arguments for it."""
        # A key frame every two seconds: cutting and seeking are quick.
        common = ["-g", str(max(1, round(options.rate * 2)))]
        if self.name == "nvenc":
            return [
                "-c:v",
                "h264_nvenc",
                "-preset",
                "p5",
                "-rc",
                "vbr",
                "-cq",
                str(options.quality),
                "-b:v",
                "0",
                *common,
            ]
        return [
            "-c:v", "libx264", "-preset", options.preset, "-crf", str(options.quality),
            "-threads:v", str(X264_THREADS), *common,
        ]  # fmt: skip


def choose(options: ConvertOptions, pixel_format: str) -> Encoder:
    """Choose the encoder for pictures of a pixel format."""
    if options.encoder == "x264":
        return Encoder("x264", "x264 was asked for")
    if pixel_format != "yuv420p":
        return Encoder("x264", f"NVENC's H.264 does not hold this kind of picture ({pixel_format}), x264 does")
    problem = nvenc_problem()
    if problem:
        return Encoder("x264", f"NVENC cannot be used here ({problem})")
    return Encoder("nvenc", "NVENC works here" if options.encoder == "auto" else "NVENC was asked for and works here")


@functools.cache
def nvenc_problem() -> str | None:
    """Return why NVENC cannot encode here, None when it can: it is tried once per process on a fifth of a second."""
    try:
        ffmpeg.run(TRIAL, 5, silent)
    except ffmpeg.FFmpegError as error:
        return re.sub(r"^\[.*?\] ", "", str(error))
    return None
