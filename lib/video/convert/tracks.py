"""What happens to the sound and the subtitles of a video: copied where the new container holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lib.video.convert.options import ConvertOptions
from lib.video.source import opened, video_stream

CONTAINERS: Mapping[str, str] = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""FFmpeg's container by suffix, for those that hold H.264 at an exact rate; videos of other suffixes become `.mp4`."""

AUDIO: Mapping[str, frozenset[str]] = {
    "mp4": frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac"}),
    "mov": frozenset(
        {
            "aac", "mp3", "mp2", "ac3", "eac3", "alac",
            "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be",
        }
    ),
    "matroska": frozenset(
        {
            "aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus", "flac", "vorbis", "dts", "truehd",
            "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le",
        }
    ),
}  # fmt: skip
"""Codecs that are copied, by container: what it holds and players read."""

SUBTITLES: Mapping[str, frozenset[str]] = {
    "mp4": frozenset({"mov_text"}),
    "mov": frozenset({"mov_text"}),
    "matroska": frozenset({"subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle"}),
}


@dataclass(frozen=True)
class Tracks:
    """The streams beside the picture, by their index in the file."""

    audio: Mapping[int, tuple[str, int]]
    """Codec and number of channels."""
    subtitles: tuple[int, ...]
    lost: tuple[str, ...]
    """What cannot be taken along, in words."""


def read_tracks(video: Path, container_name: str) -> Tracks:
    """Return the sound and subtitles of a video that go into a container of FFmpeg's name."""
    audio: dict[int, tuple[str, int]] = {}
    subtitles: list[int] = []
    lost: list[str] = []
    with opened(video) as container:
        picture = video_stream(container)
        for stream in container.streams.audio:
            if stream.codec_context is None:
                lost.append(f"sound in a codec that is not known here (stream {stream.index})")
            else:
                audio[stream.index] = (stream.codec.canonical_name, stream.codec_context.channels)
        for text in container.streams.subtitles:
            codec = text.codec_context.codec.canonical_name if text.codec_context else "unknown"
            if codec in SUBTITLES[container_name]:
                subtitles.append(text.index)
            else:
                lost.append(f"subtitles ({codec})")
        others = sum(stream.index != picture.index for stream in container.streams.video)
        if others:
            lost.append(f"{others} more picture stream{'s' * (others > 1)}")
    return Tracks(audio, tuple(subtitles), tuple(lost))


def arguments(tracks: Tracks, container_name: str, options: ConvertOptions, copy: bool) -> list[str]:
    """Return FFmpeg's arguments for the sound and the subtitles; `copy` False encodes all sound again."""
    mapped: list[str] = []
    for number, (index, (codec, channels)) in enumerate(tracks.audio.items()):
        mapped += ["-map", f"0:{index}"]
        if copy and codec in AUDIO[container_name]:
            mapped += [f"-c:a:{number}", "copy"]
        else:
            rate = options.audio_kbps * max(1, channels) // 2
            # Gaps in the timestamps become silence: what follows stays in step with the picture.
            mapped += [
                f"-c:a:{number}",
                "aac",
                f"-b:a:{number}",
                f"{rate}k",
                f"-filter:a:{number}",
                "aresample=async=1",
            ]
    for index in tracks.subtitles:
        mapped += ["-map", f"0:{index}"]
    if tracks.subtitles:
        mapped += ["-c:s", "copy"]
    return mapped


def encoded_again(tracks: Tracks, container_name: str, copy: bool) -> tuple[str, ...]:
    """Return the codecs of the sound that is not copied."""
    codecs = (codec for codec, _ in tracks.audio.values() if not copy or codec not in AUDIO[container_name])
    return tuple(dict.fromkeys(codecs))
