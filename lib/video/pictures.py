"""The pictures of a video as a stream of arrays, upright."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
import numpy as np
from av.buffer import Buffer
from av.codec.context import ThreadType
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from lib.errors import InputError
from lib.video.source import opened, video_stream

Picture = np.ndarray[Any, np.dtype[np.uint8]]
PixelFormat = Literal["rgb24", "bgr24", "gray", "rgba"]
Matrix = np.ndarray[Any, np.dtype[np.int32]]


def decode_frames(
    video: Path,
    width: int | None = None,
    height: int | None = None,
    format: PixelFormat = "rgb24",  # noqa: A002 (the name that PyAV uses)
    threads: int = 0,
    interpolation: Interpolation = Interpolation.BICUBIC,
) -> Iterator[Picture]:
    """Yield every frame in the order shown, upright, as arrays of height × width (× channels) bytes.

    `width` and `height` are those of the upright picture; one alone keeps the proportions. `threads` 0 leaves the
    number to the decoder. A packet that cannot be decoded is passed over; InputError when no frame can be decoded.
    """
    matrix: Matrix | None = None
    for number, frame in enumerate(_frames(video, threads)):
        if number == 0:
            matrix = display_matrix(frame)
        yield _array(frame, matrix, width, height, format, interpolation)


def thumbnail(video: Path, seconds: float, width: int) -> Picture:
    """Return the upright RGB picture that is shown at a time (of the picture's own timeline, from its first frame)."""
    with opened(video) as container:
        stream = video_stream(container)
        time_base = stream.time_base or Fraction(1)
        target = (stream.start_time or 0) + int(max(seconds, 0.0) / time_base)
        try:
            container.seek(target, stream=stream)
        except av.error.FFmpegError:
            # No index, or a time before the first key frame: read from the beginning.
            container.seek(0)
        shown = None
        for frame in decoded(container, stream):
            if shown is not None and frame.pts is not None and frame.pts > target:
                break
            shown = frame
        if shown is not None:
            return _array(shown, display_matrix(shown), width, None, "rgb24", Interpolation.AREA)
    # The seek went past the last picture that can be decoded: the last picture is the answer.
    for frame in _frames(video, 0):
        shown = frame
    assert shown is not None  # _frames raises when there is none
    return _array(shown, display_matrix(shown), width, None, "rgb24", Interpolation.AREA)


def _frames(video: Path, threads: int) -> Iterator[VideoFrame]:
    with opened(video) as container:
        stream = video_stream(container)
        stream.codec_context.thread_count = threads
        stream.codec_context.thread_type = ThreadType.NONE if threads == 1 else ThreadType.AUTO
        empty = True
        for frame in decoded(container, stream):
            empty = False
            yield frame
        if empty:
            raise InputError("No picture can be decoded: the video is damaged, or cut off before its first frame.")


def decoded(
    container: InputContainer, stream: VideoStream, damaged: Callable[[], object] = lambda: None
) -> Iterator[VideoFrame]:
    """Yield what can be decoded from here on; where the data break off the stream ends.

    A damaged packet is passed over; `damaged` is called for each.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            # The data break off: what the decoder still holds is asked for, as at a regular end.
            damaged()
            packet = None
        try:
            yield from stream.codec_context.decode(packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            damaged()
        if packet is None or packet.size == 0:
            return


def _array(
    frame: VideoFrame,
    matrix: Matrix | None,
    width: int | None,
    height: int | None,
    pixel_format: PixelFormat,
    interpolation: Interpolation,
) -> Picture:
    """Scale while the picture lies as it is stored (it is smaller after), then turn it upright."""
    turned = is_transposed(matrix)
    shown_width, shown_height = (frame.height, frame.width) if turned else (frame.width, frame.height)
    if width is None and height is None:
        width, height = shown_width, shown_height
    elif width is None:
        width = max(1, round(shown_width * (height or 1) / shown_height))
    elif height is None:
        height = max(1, round(shown_height * width / shown_width))
    stored = (height, width) if turned else (width, height)
    scaled = frame.reformat(width=stored[0], height=stored[1], format=pixel_format, interpolation=interpolation)
    return upright(cast(Picture, scaled.to_ndarray()), matrix)


def upright(picture: Picture, matrix: Matrix | None) -> Picture:
    """Turn and mirror a stored picture as its display matrix asks, by quarter turns; None leaves it as it is."""
    if matrix is None:
        return picture
    if is_transposed(matrix):
        # x' = c·y and y' = b·x
        picture = picture.swapaxes(0, 1)
        flip_rows, flip_columns = matrix[1] < 0, matrix[3] < 0
    else:
        # x' = a·x and y' = d·y
        flip_rows, flip_columns = matrix[4] < 0, matrix[0] < 0
    if flip_rows:
        picture = picture[::-1]
    if flip_columns:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def display_matrix(frame: VideoFrame) -> Matrix | None:
    """Return the 3 × 3 display matrix (a b u c d v x y w) of a frame, if it has one.

    Ask one frame of a video, not each: a frame that was asked stays in memory until the next garbage collection, since
    its side data and itself hold each other.
    """
    # A mapping when the program runs; the type stubs describe one entry of it.
    side_data = cast(Mapping[SideDataType, Buffer], frame.side_data)
    found = side_data.get(SideDataType.DISPLAYMATRIX)
    return None if found is None else np.frombuffer(bytes(found), np.int32)


def is_transposed(matrix: Matrix | None) -> bool:
    """Whether a display matrix exchanges width and height."""
    return matrix is not None and abs(int(matrix[0])) < abs(int(matrix[1]))


def is_mirrored(matrix: Matrix | None) -> bool:
    """Whether a display matrix exchanges left and right (its determinant is negative)."""
    if matrix is None:
        return False
    a, b, c, d = (int(matrix[place]) for place in (0, 1, 3, 4))
    return a * d < b * c
