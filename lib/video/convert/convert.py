"""Converting one video to an exactly constant frame rate, in place."""

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from lib.errors import InputError
from lib.progress import Progress, silent
from lib.video.convert import ffmpeg, tracks
from lib.video.convert.alpha import has_real_alpha
from lib.video.convert.encoders import Encoder, choose
from lib.video.convert.options import ConvertOptions
from lib.video.convert.originals import put_in_place, temporary_beside
from lib.video.media import Media, probe
from lib.video.source import SAFE_INPUT

DISK_FULL = "The disk is full: free some space and run again."
SHORT_SECONDS, SHORT_PART = 1.0, 0.02
"""A capture that begins inside a group of pictures loses the first ones; more than both of these is damage."""


@dataclass(frozen=True)
class Conversion:
    """What was done with one video."""

    video: Path
    """Where it is now; the suffix may be another (x.avi, x.mp4)."""
    action: Literal["kept", "converted", "left_alpha"]
    reason: str
    """Why, and what a person should know, in words."""
    encoder: str | None
    encoder_reason: str | None
    frames: int
    seconds: float
    original: Path | None
    """Where the original is kept."""


def convert_video(video: Path, options: ConvertOptions, progress: Progress = silent) -> Conversion:
    """Bring a video to the constant frame rate of the options, unless it is there already or has a real alpha channel.

    Progress is in frames of the result. The rotation is baked into the pictures; pixel depth, colour tags, all sound
    and the time of each picture stay. The same file and options give the same bytes again with x264. Raises InputError
    when the video cannot be read or written, UnavailableError when there is no FFmpeg. A process that is killed leaves
    the original or the converted file in place, and a next call finishes what is left to do.
    """
    media = probe(video)
    if media.missing and not options.accept_truncated:
        raise InputError(
            f"The video is cut short after {media.duration:.1f} s: {media.missing:.1f} s that its header promises are "
            "missing. Fetch it again, or convert what there is with the option accept_truncated."
        )
    if has_real_alpha(video, media):
        reason = f"has a real alpha channel ({media.pixel_format}), which a conversion would lose: left alone"
        return Conversion(video, "left_alpha", reason, None, None, media.frames, media.duration, None)
    if media.constant and media.frame_rate == options.rate:
        reason = f"is at exactly {_rate(options.rate)} frames/s already"
        return Conversion(video, "kept", reason, None, None, media.frames, media.duration, None)
    if media.duration > options.max_hours * 3600:
        raise InputError(
            f"Its timestamps span {media.duration / 3600:.0f} hours, more than the option max_hours "
            f"({options.max_hours:g}): they are damaged, or the option has to be raised."
        )
    return _convert(video, media, options, progress)


def _convert(video: Path, media: Media, options: ConvertOptions, progress: Progress) -> Conversion:
    suffix = video.suffix if video.suffix.lower() in tracks.CONTAINERS else ".mp4"
    container = tracks.CONTAINERS[suffix.lower()]
    streams = tracks.read_tracks(video, container)
    pixel_format = _pixel_format(media)
    encoder = choose(options, pixel_format)
    with temporary_beside(video, suffix) as temporary:
        with _writing():
            temporary.touch(exist_ok=False)
        encoder, notes = _encode(video, temporary, media, streams, container, encoder, options, progress)
        result = _verified(temporary, media, options)
        with _writing():
            target, original = put_in_place(temporary, video, suffix, options.keep_original)
    notes = [*_notes(media, streams, container), *notes]
    if result.frames < media.duration * options.rate - 1.5:
        notes.append(f"only {result.duration:.2f} of {media.duration:.2f} s could be decoded")
    was = f"was at {_rate(media.frame_rate)} frames/s" if media.constant else "had a variable frame rate"
    return Conversion(
        target,
        "converted",
        "; ".join([was, *notes]),
        encoder.name,
        encoder.reason,
        result.frames,
        result.duration,
        original,
    )


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Say in words why something cannot be written beside the video."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(DISK_FULL) from error
        raise InputError(
            f"Nothing can be written into the video's folder ({error.strerror}): make it writable, or copy the video "
            "elsewhere."
        ) from error


def _encode(
    video: Path,
    target: Path,
    media: Media,
    streams: tracks.Tracks,
    container: str,
    encoder: Encoder,
    options: ConvertOptions,
    progress: Progress,
) -> tuple[Encoder, list[str]]:
    """Encode, falling back once from NVENC and once from copied sound; return the encoder that did it, and notes."""
    total = max(1, round(media.duration * options.rate))
    copy = True
    while True:
        arguments = [
            *(part for name, value in SAFE_INPUT.items() for part in (f"-{name}", value)),
            "-i", f"file:{video.absolute()}",
            "-map", f"0:{media.stream}", "-filter:v", _filters(media, options, _pixel_format(media)),
            # The filter has made the rate constant: the muxer must not repeat or drop once more.
            "-fps_mode", "passthrough", *encoder.arguments(options),
            *tracks.arguments(streams, container, options, copy),
            "-dn", "-max_muxing_queue_size", "9999",
            # The same bytes for the same input: no version, no time of day, no random identifier.
            "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
            "-f", container, "-y", f"file:{target.absolute()}",
        ]  # fmt: skip
        try:
            errors = ffmpeg.run(arguments, total, progress)
        except ffmpeg.FFmpegError as error:
            if error.says("No space left on device", "Disk quota exceeded"):
                raise InputError(DISK_FULL) from error
            # 255 without a word is FFmpeg's status when it was interrupted.
            if error.returncode < 0 or (error.returncode == 255 and not error.lines):
                raise RuntimeError("FFmpeg was stopped from outside") from error
            if encoder.name == "nvenc":
                encoder = Encoder("x264", f"NVENC failed on this video ({error})")
            elif copy and streams.audio:
                copy = False
            else:
                raise InputError(f"The video cannot be converted: {error}") from error
            continue
        again = tracks.encoded_again(streams, container, copy)
        notes = [f"sound encoded again as AAC (was {', '.join(again)})"] if again else []
        if errors:
            notes.append(f"damaged in places ({errors[0]})")
        return encoder, notes


def _filters(media: Media, options: ConvertOptions, pixel_format: str) -> str:
    """Return the filters that stand between the decoder (whose pictures FFmpeg turns upright first) and the encoder."""
    filters = ["bwdif=mode=send_frame:deint=interlaced"] if media.interlaced else []
    filters.append(f"fps={options.rate}")
    right, bottom = media.width % 2, media.height % 2
    if right or bottom:
        # Repeat the last column or row: every pixel stays where it is.
        filters.append(f"pad={media.width + right}:{media.height + bottom}")
        filters.append(f"fillborders=right={right}:bottom={bottom}:mode=smear")
    wanted = f"format=pix_fmts={pixel_format}"
    if _is_rgb(media):
        # What players assume of untagged pictures depends on their size: say it.
        wanted += ":color_spaces=bt709:color_ranges=tv"
    return ",".join([*filters, wanted])


def _pixel_format(media: Media) -> str:
    """Return the pixel format to encode: depth and 4:2:2 stay; 4:4:4 and RGB, which few programs read, become 4:2:0."""
    chroma = "422" if "422" in media.pixel_format else "420"
    return f"yuv{chroma}p" + ("10le" if media.bit_depth > 8 else "")


def _is_rgb(media: Media) -> bool:
    return any(name in media.pixel_format for name in ("rgb", "bgr", "gbr", "pal8"))


def _verified(converted: Path, media: Media, options: ConvertOptions) -> Media:
    """Return the facts of the converted file, once they are what was asked for."""
    result = probe(converted)
    if not (result.constant and (result.frame_rate == options.rate or result.frames == 1)):
        raise RuntimeError(f"the converted video is at {_rate(result.frame_rate)} frames/s")
    lost = media.duration - result.duration
    if lost > max(SHORT_SECONDS, SHORT_PART * media.duration) and not options.accept_truncated:
        raise InputError(
            f"The video is damaged: only {result.duration:.1f} of {media.duration:.1f} s could be decoded. Fetch it "
            "again, or convert what there is with the option accept_truncated."
        )
    return result


def _notes(media: Media, streams: tracks.Tracks, container: str) -> list[str]:
    notes = []
    if media.missing:
        notes.append(f"cut short: {media.missing:.1f} s that its header promises are missing")
    if media.interlaced:
        notes.append("was interlaced: made progressive")
    if media.rotation or media.mirrored:
        notes.append(f"turned upright ({media.rotation}°{', mirrored' * media.mirrored})")
    if media.width % 2 or media.height % 2:
        notes.append(f"odd size {media.width}×{media.height}: last column or row repeated")
    if not media.audio_streams:
        notes.append("has no sound")
    notes += [f"not taken along: {lost}" for lost in streams.lost]
    return notes


def _rate(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
