"""The sound of a video: 16 kHz mono on the picture's timeline, decoded in-process as a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from lib.video.media import Media
from lib.video.source import opened

RATE = 16_000
"""Samples a second: what all speech networks here were trained on."""
DRIFT = Fraction(1, 20)
"""Seconds by which timestamps may differ from the samples counted before silence is filled in or sound left out."""

Samples = np.ndarray[Any, np.dtype[np.int16]]


@dataclass(frozen=True)
class Sound:
    """The first sound stream of a video, from the first picture to the end of the last; decoded at each reading."""

    path: Path
    start: Fraction
    """Seconds on the file's timeline that are 0 here."""
    duration: Fraction
    """Seconds; the sound is cut or followed by silence to be so long."""
    damaged: list[int] = field(default_factory=lambda: [0], compare=False, repr=False)
    """One number: the packets that could not be decoded at the last reading."""

    @classmethod
    def of(cls, video: Path, media: Media) -> Self:
        """Return the sound of a video whose facts are known."""
        return cls(video, Fraction(media.start), max(Fraction(media.duration), media.frames / media.frame_rate))

    @property
    def samples(self) -> int:
        """Their number."""
        return round(self.duration * RATE)

    def blocks(self, seconds: int = 1) -> Iterator[Samples]:
        """Yield the samples in blocks of so many seconds; the last one may be shorter.

        A packet that cannot be decoded leaves silence. Raises InputError when the file cannot be opened any more.
        """
        size, held, count = RATE * seconds, [], 0
        for piece in self._pieces():
            held.append(piece)
            count += len(piece)
            while count >= size:
                joined = np.concatenate(held)
                yield joined[:size]
                held, count = [joined[size:]], count - size
        if count:
            yield np.concatenate(held)

    def read(self) -> Samples:
        """Return all samples at once: 32 kB a second, for engines that cannot do without."""
        whole, position = np.zeros(self.samples, np.int16), 0
        for piece in self._pieces():
            whole[position : position + len(piece)] = piece
            position += len(piece)
        return whole

    def _pieces(self) -> Iterator[Samples]:
        """Yield exactly `samples` samples in pieces of any length."""
        left = self.samples
        for piece in self._timed():
            if left <= 0:
                return
            yield piece[:left]
            left -= len(piece)
        while left > 0:
            yield np.zeros(min(left, RATE), np.int16)
            left -= RATE

    def _timed(self) -> Iterator[Samples]:
        """Yield decoded sound, with silence where the timestamps leave a gap."""
        mono, silence, self.damaged[0] = _Mono(), np.zeros(RATE, np.int16), 0
        written, skip = 0, 0  # samples that went out, and that are yet to be dropped
        fed = Fraction(0)  # the second of the timeline up to which sound came in
        for frame in self._frames():
            begin = fed if frame.pts is None else frame.pts * Fraction(frame.time_base or 0) - self.start
            pieces = []
            if begin - fed > DRIFT:
                pieces = mono.finish()
                until = min(self.samples, round(begin * RATE))
                missing = until - written - sum(map(len, pieces)) + skip
                # One piece of silence many times: a timestamp far in the future must not become a huge array.
                pieces += [silence[: missing - at] for at in range(0, missing, RATE)]
                fed = begin
            elif fed - begin > DRIFT:
                skip += round((fed - begin) * RATE)
                fed = begin
            pieces += mono.feed(frame)
            fed += Fraction(frame.samples, frame.sample_rate)
            for piece in pieces:
                dropped = min(skip, len(piece))
                skip -= dropped
                written += len(piece) - dropped
                yield piece[dropped:]
            if written >= self.samples:
                return
        for piece in mono.finish():
            yield piece[min(skip, len(piece)) :]

    def _frames(self) -> Iterator[AudioFrame]:
        """Yield what can be decoded of the first sound stream."""
        with opened(self.path) as container:
            if not container.streams.audio or container.streams.audio[0].codec_context is None:
                return
            packets = container.demux(container.streams.audio[0])
            while True:
                try:
                    packet = next(packets, None)
                except av.error.FFmpegError:
                    return
                if packet is None:
                    return
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    self.damaged[0] += 1
                    continue
                for frame in frames:
                    if isinstance(frame, AudioFrame) and frame.samples and frame.sample_rate:
                        yield frame


class _Mono:
    """Resampling and down-mixing that follow when the stream changes its format on the way."""

    def __init__(self) -> None:
        self.resampler: AudioResampler | None = None
        self.key: tuple[Any, ...] = ()
        self.average = False

    def feed(self, frame: AudioFrame) -> list[Samples]:
        """Return the samples that are ready now."""
        key = (frame.format.name, frame.layout.name, frame.layout.nb_channels, frame.sample_rate)
        pieces = [] if key == self.key else self.finish()
        if self.resampler is None:
            self._begin(key)
        frame.pts = None  # gaps are seen to by the caller
        if not self.average:
            try:
                return pieces + self._resampled(frame)
            except (av.error.FFmpegError, ValueError):
                # Channels without a known place in the room: the mean of all of them.
                self._begin(key)
                self.average = True
        return pieces + self._resampled(_averaged(frame))

    def _begin(self, key: tuple[Any, ...]) -> None:
        self.resampler, self.key, self.average = AudioResampler(format="s16", layout="mono", rate=RATE), key, False

    def _resampled(self, frame: AudioFrame | None) -> list[Samples]:
        assert self.resampler is not None
        return [each.to_ndarray()[0] for each in self.resampler.resample(frame)]

    def finish(self) -> list[Samples]:
        """Return what is left in the resampler, which is done with then."""
        if self.resampler is None:
            return []
        rest = self._resampled(None)
        self.resampler, self.key = None, ()
        return rest


def _averaged(frame: AudioFrame) -> AudioFrame:
    channels = frame.layout.nb_channels
    values = frame.to_ndarray()
    values = values if frame.format.is_planar else values.reshape(-1, channels).T
    mean = values.astype(np.float64).mean(axis=0)
    if values.dtype.kind in "iu":
        middle = 128 if values.dtype.kind == "u" else 0  # 8 bits are stored without a sign
        mean = (mean - middle) / (np.iinfo(values.dtype.name).max - middle)
    mono = AudioFrame.from_ndarray(mean.astype(np.float32)[None], format="fltp", layout="mono")
    mono.sample_rate = frame.sample_rate
    return mono
