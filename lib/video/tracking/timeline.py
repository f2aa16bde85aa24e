"""When each frame of a video is shown, and how its frames are shared out so that each is decoded once."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from lib.video.source import is_hidden, opened, video_stream

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """The frames of a video in the order shown, counted from 0; eight bytes of memory each."""

    frames: int
    timestamps: Indices | None
    """In the stream's time base, rising; None where the file's do not tell frames apart, so that none can be sought."""
    keys: Indices
    """Frames at which decoding can begin."""


@dataclass(frozen=True)
class Chunk:
    """Frames that one process takes at a time; counted from 0, `stop` is the first that does not belong."""

    start: int
    stop: int
    restarts: tuple[int, ...]
    """Frames at which a scene begins or a long one was cut, `start` among them: what was known is forgotten there."""


def read_timeline(video: Path) -> Timeline:
    """Read when the frames of a video are shown, from its packets, decoding nothing.

    The video was probed before: what is wrong with it was said there.
    """
    timestamps, keys = array("q"), array("q")
    frames, known = 0, True
    with opened(video) as container:
        stream = video_stream(container)
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                break  # the data break off
            if packet is None or packet.size == 0:
                break
            if is_hidden(packet, stream):
                continue
            frames += 1
            if packet.pts is None:
                known = False
                continue
            timestamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    shown = np.sort(np.frombuffer(timestamps, np.int64)) if timestamps else np.zeros(0, np.int64)
    if not known or (np.diff(shown) <= 0).any():
        return Timeline(frames, None, np.zeros(0, np.int64))
    return Timeline(frames, shown, np.searchsorted(shown, np.sort(np.frombuffer(keys, np.int64))))


def plan_chunks(frames: int, cuts: Sequence[int], keys: Indices, most: int) -> list[Chunk]:
    """Share out `frames` frames: whole scenes together up to `most` frames, longer scenes in parts of at most so many.

    `cuts` are the frames (from 0) at which scenes begin; those outside of the video do not count. A part of a long
    scene begins at a key frame where one is near enough, so that nothing is decoded twice there.
    """
    bounds = sorted({0, frames, *(cut for cut in cuts if 0 < cut < frames)})
    parts: list[tuple[int, int]] = []
    for start, stop in pairwise(bounds):
        while stop - start > most:
            latest = start + most
            key = int(keys[np.searchsorted(keys, latest, side="right") - 1]) if len(keys) else 0
            end = key if key > start + most // 2 else latest
            parts.append((start, end))
            start = end  # noqa: PLW2901 (what is left of the scene)
        parts.append((start, stop))
    chunks: list[Chunk] = []
    for start, stop in parts:
        last = chunks[-1] if chunks else None
        if last and stop - last.start <= most:
            chunks[-1] = Chunk(last.start, stop, (*last.restarts, start))
        else:
            chunks.append(Chunk(start, stop, (start,)))
    return chunks
