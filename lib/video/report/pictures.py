"""Pictures of a video as data addresses: small enough that a report can be sent by mail."""

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib.errors import InputError
from lib.progress import Progress, silent
from lib.video.media import Media, Picture, thumbnail

COARSER = ((1.0, 1.0), (1.0, 0.6), (1.0, 0.2), (0.6, 0.2), (0.35, 0.2))
"""What the size and the quality are multiplied by, one pair after the other, until a picture fits."""
ROOMY = 100
"""Up to this many pictures are as wide as the options say; more are smaller, down to `SMALLEST`."""
SMALLEST = 128
PLAIN = 30.0
"""Standard deviation of a picture's values, of 255: less is a black frame, a fade or a title."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of one frame."""

    address: str
    """A `data:` address with all of it."""
    width: int
    height: int


class Album:
    """Takes pictures out of one video within a budget of bytes, one in memory at a time."""

    def __init__(self, video: Path, facts: Media, quality: int) -> None:
        self._video, self._facts, self._quality = video, facts, quality
        self.problem = ""
        """Why a picture is missing, in words; empty while none is."""

    def take(self, frames: Sequence[int], box: int, budget: int, progress: Progress = silent) -> dict[int, Thumbnail]:
        """Return pictures of these frames (from 1), in `budget` bytes together; one that cannot be read is left out.

        The longer side of a picture is `box` pixels at most.
        """
        taken = {}
        for count, frame in enumerate(frames):
            picture = self._picture(frame, box)
            if picture is not None:
                taken[frame] = _encoded(picture, box, self._quality, budget // len(frames))
            progress(count + 1, len(frames))
        return taken

    def poster(self, frames: Sequence[int], box: int, budget: int) -> tuple[int, Thumbnail] | None:
        """Return the first of these frames on which something can be seen, or else the one on which most can."""
        best: tuple[float, int, Picture] | None = None
        for frame in frames:
            picture = self._picture(frame, box)
            if picture is None:
                continue
            contrast = float(picture.std())
            if best is None or contrast > best[0]:
                best = contrast, frame, picture
            if contrast >= PLAIN:
                break
        return (best[1], _encoded(best[2], box, self._quality, budget)) if best else None

    def _picture(self, frame: int, box: int) -> Picture | None:
        fps = float(self._facts.frame_rate) or 25.0
        # As large as the box holds, and no larger than the video itself.
        width = max(2, min(box, self._facts.width, box * self._facts.width // max(self._facts.height, 1)))
        try:
            # The middle of the time in which the frame is shown, so that no rounding gives a neighbour.
            return thumbnail(self._video, (frame - 0.5) / fps, width)
        except (InputError, OSError) as error:
            self.problem = self.problem or str(error)
            return None


def fitting_width(wanted: int, count: int) -> int:
    """Return the width of each of `count` pictures: the wanted one, or less, so that they fill what a hundred would."""
    if count <= ROOMY:
        return wanted
    return min(wanted, max(SMALLEST, round(wanted * math.sqrt(ROOMY / count) / 8) * 8))


def sample(count: int, most: int) -> list[int]:
    """Return the places (from 0) of at most `most` of `count` things, evenly spread."""
    if count <= most:
        return list(range(count))
    return [(2 * place + 1) * count // (2 * most) for place in range(most)]


def _encoded(picture: Picture, box: int, quality: int, most: int) -> Thumbnail:
    whole = Image.fromarray(picture)
    for size, factor in COARSER:
        image = whole.copy()
        image.thumbnail((box * size, box * size))
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=max(5, round(quality * factor)), method=3)
        # Three bytes are four characters in a data address.
        if buffer.tell() * 4 // 3 <= most:
            break
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/webp;base64,{data}", image.width, image.height)
