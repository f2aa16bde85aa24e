"""Whether a video's alpha channel says anything, or is opaque everywhere."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from lib.video.media import Media
from lib.video.source import opened, video_stream

OPAQUE = 250
"""Of 255: lossy codecs bring an opaque channel back a little off."""

READ_WHOLE, SAMPLES = 300, 100
"""Every frame is looked at up to so many; of a longer video, the frames at so many places all over it."""

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""The decoders that FFmpeg takes by itself for these do not know alpha."""


def has_real_alpha(video: Path, media: Media) -> bool:
    """Whether some picture is not opaque somewhere; frames are sampled all over the file."""
    if not media.has_alpha:
        return False
    return any(
        int(frame.reformat(format="rgba").to_ndarray()[..., 3].min()) < OPAQUE for frame in _sampled(video, media)
    )


def _sampled(video: Path, media: Media) -> Iterator[VideoFrame]:
    with opened(video) as container:
        stream = video_stream(container)
        decoder: VideoCodecContext = stream.codec_context
        if name := ALPHA_DECODERS.get(media.codec):
            created = CodecContext.create(name, "r")
            assert isinstance(created, VideoCodecContext)
            decoder = created
        if media.frames <= READ_WHOLE:
            for packet in container.demux(stream):
                with contextlib.suppress(av.error.FFmpegError):
                    yield from decoder.decode(packet)
            return
        time_base = stream.time_base or Fraction(1)
        for place in range(SAMPLES):
            seconds = media.start + media.duration * place / SAMPLES
            with contextlib.suppress(av.error.FFmpegError):
                container.seek(int(seconds / time_base), stream=stream)
                decoder.flush_buffers()
                for packet in container.demux(stream):
                    frames = decoder.decode(packet)
                    yield from frames
                    if frames:
                        break
