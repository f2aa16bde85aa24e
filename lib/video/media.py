"""What a video is (its facts), and its pictures as a stream; light, with memory that does not grow with its length."""

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame

from lib.errors import InputError
from lib.video.pictures import Picture, decode_frames, display_matrix, is_mirrored, is_transposed, thumbnail
from lib.video.source import is_hidden, opened, video_stream
from lib.video.timing import Timing

if TYPE_CHECKING:
    from av.stream import Stream

    # Generic only in the type stubs: it cannot be subscripted when the program runs.
    Packet = av.Packet[Stream]

__all__ = ["Audio", "Colour", "Media", "Picture", "decode_frames", "probe", "thumbnail"]

CUT_SHORT_SECONDS, CUT_SHORT_PART = 1.0, 0.02
"""Headers round: a file is called cut short only when it ends earlier than it says by both of these."""


@dataclass(frozen=True)
class Colour:
    """Colour tags as the code points of ITU-T H.273 (2: unspecified)."""

    primaries: int
    transfer: int
    matrix: int
    range: int
    """0 unspecified, 1 limited, 2 full."""


@dataclass(frozen=True)
class Audio:
    """The first audio stream of a video."""

    codec: str
    rate: int
    channels: int
    start: float
    """Seconds on the file's timeline at which it begins."""
    duration: float


@dataclass(frozen=True)
class Media:
    """The facts of a video; sizes in pixels, times in seconds."""

    container: str
    width: int
    height: int
    """As shown: after the rotation."""
    coded_width: int
    coded_height: int
    """As stored: before the rotation."""
    rotation: int
    """Degrees clockwise by which a player turns the stored picture: 0, 90, 180 or 270."""
    mirrored: bool
    """Whether a player mirrors it too."""
    sample_aspect: Fraction
    """Width of a pixel over its height."""
    frame_rate: Fraction
    """Exact where it is constant, else the mean."""
    constant: bool
    """Whether the frames come at a constant rate, by the timestamps of the packets alone."""
    frames: int
    start: float
    """Seconds on the file's timeline at which the first frame is shown."""
    duration: float
    """From the first frame to the end of the last."""
    codec: str
    pixel_format: str
    bit_depth: int
    has_alpha: bool
    """Whether there is an alpha channel; it may be opaque everywhere."""
    interlaced: bool
    colour: Colour
    stream: int
    """Index of the video stream in the file."""
    audio: Audio | None
    audio_streams: int
    missing: float
    """Seconds that the file declares but does not hold: it is cut short; 0 when it is whole."""


def probe(video: Path) -> Media:
    """Return the facts of a video, from its packets and its first picture.

    Reads the whole file once and decodes nothing but the first picture. Raises InputError when the file is not a video,
    has no moving picture, or cannot be read.
    """
    with opened(video) as container:
        scan = _Scan(container)
        try:
            for packet in container.demux():
                scan.take(packet)
        except av.error.FFmpegError:
            scan.broken = True
        return scan.media()


class _Scan:
    """What is learnt from the packets of a file, one by one."""

    def __init__(self, container: InputContainer) -> None:
        self.container = container
        self.stream = video_stream(container)
        self.stream.codec_context.thread_count = 1
        self.frames = 0
        self.picture: VideoFrame | None = None
        self.last_duration = 0
        self.broken = False
        """Whether the data end before the index says so."""
        self.timings = {each.index: Timing(each.time_base or Fraction(1)) for each in container.streams.audio}
        declared = (self.stream.average_rate, self.stream.guessed_rate, self.stream.base_rate)
        self.timings[self.stream.index] = Timing(self.stream.time_base or Fraction(1), declared)
        self.ends: dict[int, int] = {}
        """Of every stream: subtitles may go on when picture and sound have ended."""

    def take(self, packet: "Packet") -> None:
        index = packet.stream_index
        is_video = index == self.stream.index
        if is_video and self.picture is None:
            self._decode(packet)
        if packet.size == 0 or packet.is_discard or (is_video and is_hidden(packet, self.stream)):
            return
        self.broken |= packet.is_corrupt and "mov" in self.container.format.name
        self.frames += is_video
        timestamp = packet.pts if packet.pts is not None else packet.dts
        if timestamp is None:
            return
        if index in self.timings:
            self.timings[index].add(timestamp)
        end = timestamp + (packet.duration or 0)
        if is_video and end >= self.ends.get(index, end):
            self.last_duration = packet.duration or 0
        self.ends[index] = max(end, self.ends.get(index, end))

    def _decode(self, packet: "Packet") -> None:
        with contextlib.suppress(av.error.FFmpegError):
            self.picture = next(iter(self.stream.codec_context.decode(packet)), None)

    def media(self) -> Media:
        picture, stream = self.picture, self.stream
        if picture is None or self.frames == 0:
            raise InputError("No picture can be decoded: the video is damaged, or cut off before its first frame.")
        for each in self.timings.values():
            each.finish()
        timing = self.timings[stream.index]
        constant = timing.constant_rate()
        single = timing.count == 1
        rate = constant or timing.mean_rate() or self._declared_rate()
        last = self.last_duration * timing.time_base or 1 / rate
        start = (timing.first or 0) * timing.time_base
        spanned = ((timing.last or 0) - (timing.first or 0)) * timing.time_base or (self.frames - 1) / rate
        matrix = display_matrix(picture)
        turned = is_transposed(matrix)
        components = picture.format.components
        sounds = self.container.streams.audio
        return Media(
            container=self.container.format.name,
            width=picture.height if turned else picture.width,
            height=picture.width if turned else picture.height,
            coded_width=picture.width,
            coded_height=picture.height,
            rotation=-picture.rotation % 360,
            mirrored=is_mirrored(matrix),
            sample_aspect=stream.sample_aspect_ratio or Fraction(1),
            frame_rate=rate,
            constant=constant is not None or (single and self.frames == 1),
            frames=self.frames,
            start=float(start),
            duration=float(spanned + last),
            codec=stream.codec.canonical_name,
            pixel_format=picture.format.name,
            bit_depth=max((component.bits for component in components), default=8),
            has_alpha=any(component.is_alpha for component in components)
            or picture.format.has_palette
            or stream.metadata.get("alpha_mode") == "1",
            interlaced=picture.interlaced_frame,
            colour=Colour(picture.color_primaries, picture.color_trc, picture.colorspace, picture.color_range),
            stream=stream.index,
            audio=self._audio(sounds[0]) if sounds else None,
            audio_streams=len(sounds),
            missing=self._missing(),
        )

    def _declared_rate(self) -> Fraction:
        """Return the rate to assume where timestamps say none: one frame, or no timestamps at all."""
        if self.last_duration and self.stream.time_base:
            return 1 / (self.last_duration * self.stream.time_base)
        return self.stream.average_rate or self.stream.guessed_rate or Fraction(25)

    def _audio(self, stream: AudioStream) -> Audio:
        timing = self.timings[stream.index]
        first = timing.first or 0
        return Audio(
            codec=stream.codec.canonical_name if stream.codec_context else "unknown",
            rate=stream.codec_context.sample_rate if stream.codec_context else 0,
            channels=stream.codec_context.channels if stream.codec_context else 0,
            start=float(first * timing.time_base),
            duration=float((self.ends.get(stream.index, first) - first) * timing.time_base),
        )

    def _missing(self) -> float:
        """Return how many seconds the header promises that are not there."""
        declared = (self.container.duration or 0) / av.time_base
        origin = (self.container.start_time or 0) / av.time_base
        streams = self.container.streams
        ends = (float(end * (streams[index].time_base or 0)) for index, end in self.ends.items())
        end = max(ends, default=origin)
        # Matroska counts from 0, also where the first picture comes later; others count from the first picture.
        missing = declared - max(end, end - origin)
        if self.broken:
            return max(missing, 1e-3)
        return missing if missing > max(CUT_SHORT_SECONDS, CUT_SHORT_PART * declared) else 0.0
