"""The frames of a video as the model takes them: a stream of small pictures, and windows of them."""

import contextlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.filter
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from lib.errors import InputError
from lib.video.pictures import Picture, decoded, display_matrix, is_transposed
from lib.video.source import opened, video_stream

WIDTH, HEIGHT = 48, 27
Window = np.ndarray[Any, np.dtype[np.uint8]]
"""Frames × 27 × 48 × RGB."""


class Film:
    """A video that is being decoded: iterate over it once, for every frame in the order shown, 27 × 48 × RGB."""

    def __init__(self, container: InputContainer, threads: int) -> None:
        self._container = container
        self._stream = video_stream(container)
        self._stream.codec_context.thread_count = threads
        self._stream.thread_type = "AUTO"
        self.rate: Fraction = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        self.expected = self._stream.frames or self._from_duration()
        """How many frames the file says that it holds; 0 when it does not say."""
        self.damaged = 0
        """Packets that could not be decoded, so far."""

    def _from_duration(self) -> int:
        return int((self._container.duration or 0) * self.rate / av.time_base)

    def __iter__(self) -> Iterator[Picture]:
        """Yield the frames; raises InputError when there is none."""
        scale = _Scale()
        empty = True
        for frame in decoded(self._container, self._stream, self._count_damage):
            empty = False
            yield scale(frame)
        if empty:
            raise InputError("No picture can be decoded: the video is damaged, or cut off before its first frame.")

    def _count_damage(self) -> None:
        self.damaged += 1


@contextlib.contextmanager
def film(video: Path, threads: int = 0) -> Iterator[Film]:
    """Open a video for decoding; `threads` 0 leaves their number to the decoder. Raises InputError when it is none."""
    with opened(video) as container:
        yield Film(container, threads)


class _Scale:
    """Turns upright and scales by a filter graph, as the `ffmpeg` command does: the same pixels, bit by bit.

    (PyAV's own `reformat` rounds otherwise, and prepares its tables anew for every frame.)
    """

    def __init__(self) -> None:
        self._shape: tuple[Any, ...] | None = None
        self._turns: tuple[tuple[str, str], ...] | None = None
        self._graph: av.filter.Graph

    def __call__(self, frame: VideoFrame) -> Picture:
        if self._turns is None:
            self._turns = _turns(frame)
        # Streams may change their format on the way; a graph is for one.
        shape = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range)
        if shape != self._shape:
            self._graph, self._shape = _graph(frame, self._turns), shape
        self._graph.vpush(frame)
        return cast(Picture, self._graph.vpull().to_ndarray())


def _turns(frame: VideoFrame) -> tuple[tuple[str, str], ...]:
    """Return the filters that turn a stored picture upright: none for nearly all."""
    matrix = display_matrix(frame)
    if matrix is None:
        return ()
    turned = is_transposed(matrix)
    flips_row, flips_column = (matrix[3], matrix[1]) if turned else (matrix[0], matrix[4])
    wanted = (("transpose", "cclock_flip"), turned), (("hflip", ""), flips_row < 0), (("vflip", ""), flips_column < 0)
    return tuple(turn for turn, is_wanted in wanted if is_wanted)


def _graph(frame: VideoFrame, turns: tuple[tuple[str, str], ...]) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 25)
    )
    scale = ("scale", f"{WIDTH}:{HEIGHT}:flags=bicubic"), ("format", "pix_fmts=rgb24"), ("buffersink", "")
    for name, arguments in (*turns, *scale):
        following = graph.add(name, arguments or None)
        last.link_to(following)
        last = following
    graph.configure()
    return graph


def windows(frames: Iterable[Picture], window: int, stride: int, padding: int) -> Iterator[tuple[Window, int]]:
    """Yield overlapping windows, each with the number of frames for which its answer counts.

    They are those that follow its first `padding` frames: `stride`, fewer in the last. Before the video's first frame
    and behind its last, copies of them fill the window. Only one window of frames is held.
    """
    held: list[Picture] = []
    pending = 0  # frames that came and for which no window was given yet
    for frame in frames:
        if not held:
            held = [frame] * padding
        held.append(frame)
        pending += 1
        if len(held) == window:
            yield np.stack(held), min(stride, pending)
            pending -= stride
            del held[:stride]
    while pending > 0:
        yield np.stack(held + [held[-1]] * (window - len(held))), min(stride, pending)
        pending -= stride
        held = held[stride:] or held[-1:]
