"""The pictures of a part of a video, exactly those asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, cast

import av
import numpy as np
from av.codec.context import ThreadType
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from lib.video.pictures import Matrix, decoded, display_matrix, is_transposed, upright
from lib.video.source import opened, video_stream
from lib.video.tracking.faces import Picture


class FrameReader:
    """A video that is open, from which chunk after chunk is read; what follows on is read on, without seeking."""

    def __init__(self, video: Path, width: int, height: int) -> None:
        """Open a video whose pictures are wanted upright, `width` × `height` pixels large."""
        self._video = video
        self._size = width, height
        self._held: VideoFrame | None = None
        self._next = 0
        self._matrix: Matrix | None = None
        self._oriented = False
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def read(self, start: int, stop: int, timestamps: Sequence[int] | None) -> Iterator[Picture | None]:
        """Yield the frames from `start` to before `stop`, counted from 0; None for one that cannot be decoded.

        `timestamps` are those of just these frames. Without, frames are counted from the beginning of the video.
        """
        shown = self._counted(start, stop) if timestamps is None else self._timed(start, timestamps)
        self._next = -1
        for frame in shown:
            yield None if frame is None else self._picture(frame)
        self._next = stop

    def _counted(self, start: int, stop: int) -> Iterator[VideoFrame | None]:
        if self._next < 0 or self._next > start:
            self._reopen()
            self._next = 0
        for _ in range(start - self._next):
            self._take()
        for _ in range(start, stop):
            yield self._take()

    def _timed(self, start: int, timestamps: Sequence[int]) -> Iterator[VideoFrame | None]:
        if self._next != start:
            self._seek(timestamps[0])
        for timestamp in timestamps:
            frame = self._take()
            while frame is not None and (frame.pts is None or frame.pts < timestamp):
                frame = self._take()
            if frame is not None and cast(int, frame.pts) > timestamp:
                self._held, frame = frame, None
            yield frame

    def _seek(self, timestamp: int) -> None:
        """Go to where decoding has to begin for the frame at `timestamp`."""
        try:
            stream = video_stream(self._container)
            self._container.seek(timestamp, stream=stream)
            self._frames = decoded(self._container, stream)
            self._held = None
            self._held = self._take()
            if self._held is not None and self._held.pts is not None and self._held.pts <= timestamp:
                return
        except av.error.FFmpegError:
            pass
        self._reopen()  # an index that is wrong or missing: read from the beginning

    def _open(self) -> None:
        self._container = opened(self._video)
        stream = video_stream(self._container)
        stream.codec_context.thread_count, stream.codec_context.thread_type = 1, ThreadType.NONE
        self._frames = decoded(self._container, stream)
        self._held = None

    def _reopen(self) -> None:
        self._container.close()
        self._open()

    def _take(self) -> VideoFrame | None:
        frame, self._held = self._held, None
        return frame or next(self._frames, None)

    def _picture(self, frame: VideoFrame) -> Picture:
        if not self._oriented:
            self._matrix, self._oriented = display_matrix(frame), True
        matrix = self._matrix
        width, height = reversed(self._size) if is_transposed(matrix) else self._size
        scaled = frame.reformat(width=width, height=height, format="rgb24", interpolation=Interpolation.BILINEAR)
        return np.ascontiguousarray(upright(cast(Picture, scaled.to_ndarray()), matrix))
