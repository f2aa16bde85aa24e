"""Sound: copied where it can be, never lost, and in step with the picture."""

import av
import numpy as np
import pytest

from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions
from lib.video.media import probe

OPTIONS = ConvertOptions(encoder="x264", preset="ultrafast")

CODECS = [
    ("a.mp4", "aac", "a.mp4", "aac"),
    ("a.mp4", "libmp3lame", "a.mp4", "mp3"),
    ("a.mp4", "ac3", "a.mp4", "ac3"),
    ("a.mov", "pcm_s24le", "a.mov", "pcm_s24le"),
    ("a.mkv", "flac", "a.mkv", "flac"),
    ("a.mkv", "libvorbis", "a.mkv", "vorbis"),
    ("a.webm", "libopus", "a.mp4", "opus"),
    ("a.webm", "libvorbis", "a.mp4", "aac"),
    ("a.avi", "pcm_s16le", "a.mp4", "aac"),
    ("a.avi", "libmp3lame", "a.mp4", "mp3"),
    ("a.wmv", "wmav2", "a.mp4", "aac"),
    ("a.flv", "nellymoser", "a.mp4", "aac"),
]


def packets(video):
    with av.open(str(video)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.mark.parametrize(("name", "encoder", "after", "codec"), CODECS)
def test_sound_is_copied_where_the_container_holds_it(make, name, encoder, after, codec):
    pictures = {".webm": "libvpx", ".wmv": "wmv2", ".flv": "flv", ".avi": "mpeg4"}.get(name[1:], "libx264")
    rate = 44100 if encoder == "nellymoser" else 48000
    video = make(name, "-c:v", pictures, "-deadline", "realtime", "-c:a", encoder, "-ar", rate, "-ac", 1, sound=True)
    before, kept = probe(video), packets(video)
    conversion = convert_video(video, OPTIONS)
    media = probe(conversion.video)
    assert conversion.video.name == after
    assert media.audio is not None
    assert before.audio is not None
    assert (media.audio.codec, media.audio.rate, media.audio.channels) == (codec, rate, 1)
    assert media.audio.duration == pytest.approx(before.audio.duration, abs=0.06)
    copied = before.audio.codec == codec
    assert ("encoded again" in conversion.reason) is not copied
    if copied:
        assert b"".join(packets(conversion.video)) == b"".join(kept)


def test_all_sound_streams_are_kept_with_their_languages(make, tmp_path, ffmpeg):
    video = tmp_path / "a.mov"
    tones = [part for pitch in (300, 500, 700) for part in ("-f", "lavfi", "-i", f"sine=f={pitch}:d=1")]
    languages = [
        part for n, lang in enumerate(("fra", "eng", "ita")) for part in (f"-metadata:s:a:{n}", f"language={lang}")
    ]
    maps = [part for n in range(4) for part in ("-map", n)]
    codecs = ["-c:v", "copy", "-c:a:0", "aac", "-c:a:1", "pcm_s16be", "-c:a:2", "libopus"]
    ffmpeg("-i", make("b.mp4"), *tones, *maps, *codecs, *languages, "-f", "matroska", tmp_path / "a.mkv")
    (tmp_path / "a.mkv").rename(video)
    conversion = convert_video(video, OPTIONS)
    with av.open(str(conversion.video)) as container:
        streams = container.streams.audio
        assert [stream.language for stream in streams] == ["fra", "eng", "ita"]
        assert [stream.codec.canonical_name for stream in streams] == ["aac", "pcm_s16be", "aac"]
        assert all(stream.codec_context.sample_rate in (44100, 48000) for stream in streams)
    assert "opus" in conversion.reason


def flash_and_beep(video):
    """Return when the white picture begins and when the tone begins, in seconds of the file's own timeline."""
    with av.open(str(video)) as container:
        flash = next(
            float(frame.pts * frame.time_base)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 120
        )
    with av.open(str(video)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(frame.to_ndarray().astype(float)).reshape(-1, frame.samples if frame.format.is_planar else 1)
            level = loud.max(axis=0) if frame.format.is_planar else loud.reshape(frame.samples, -1).max(axis=1)
            limit = 0.1 * (1 if frame.format.name.startswith("flt") else 32768 if "16" in frame.format.name else 2**31)
            if (level > limit).any():
                return flash, float(frame.pts * frame.time_base) + int(np.argmax(level > limit)) / frame.sample_rate
    raise AssertionError("no tone")


BLACK_WHITE = "color=black:s=64x48:r=30:d=4,drawbox=color=white:t=fill:enable='between(t,2,3)'"
SILENCE_TONE = "aevalsrc='gte(t,2)*sin(2*PI*440*t)*0.8:s=48000:d=4'"

STEPS = {
    "plain.mp4": ([], [], ["-c:a", "aac"]),
    "late picture.mp4": (["-itsoffset", 0.7], [], ["-c:a", "aac"]),
    "late sound.mp4": ([], ["-itsoffset", 0.7], ["-c:a", "aac"]),
    "late picture.mkv": (["-itsoffset", 0.7], [], ["-c:a", "aac"]),
    "starts at five.mkv": ([], [], ["-c:a", "aac", "-output_ts_offset", 5]),
    "starts at five.ts": ([], [], ["-c:a", "aac", "-output_ts_offset", 5]),
    "pcm.mov": ([], ["-itsoffset", 0.3], ["-c:a", "pcm_s16le"]),
    "again.avi": ([], [], ["-c:v", "mpeg4", "-c:a", "pcm_s16le"]),
    "again.webm": (["-itsoffset", 0.5], [], ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis"]),
    "copied.webm": ([], [], ["-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"]),
    "a.flv": ([], [], ["-c:v", "libx264", "-c:a", "aac"]),
    "a.wmv": ([], ["-itsoffset", 0.5], ["-c:v", "wmv2", "-c:a", "wmav2"]),
}


@pytest.mark.parametrize("name", STEPS)
def test_sound_and_picture_stay_in_step(tmp_path, ffmpeg, name):
    picture, sound, options = STEPS[name]
    video = tmp_path / name
    ffmpeg(*picture, "-f", "lavfi", "-i", BLACK_WHITE, *sound, "-f", "lavfi", "-i", SILENCE_TONE, *options, video)
    flash, beep = flash_and_beep(video)
    flash_after, beep_after = flash_and_beep(convert_video(video, OPTIONS).video)
    assert (flash_after - beep_after) == pytest.approx(flash - beep, abs=0.03)


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mov", "cut.mkv"])
def test_what_an_edit_list_cuts_away_stays_away(tmp_path, ffmpeg, name):
    """Cut without encoding: the file begins at the key frame before; an edit list hides what is too early."""
    whole, video = tmp_path / "whole.mp4", tmp_path / name
    ffmpeg("-f", "lavfi", "-i", BLACK_WHITE, "-f", "lavfi", "-i", SILENCE_TONE, "-g", 30, "-c:a", "aac", whole)
    ffmpeg("-ss", 1.45, "-i", whole, "-c", "copy", video)
    before = probe(video)
    flash, beep = flash_and_beep(video)
    conversion = convert_video(video, OPTIONS)
    after = probe(conversion.video)
    flash_after, beep_after = flash_and_beep(conversion.video)
    assert (flash_after - beep_after) == pytest.approx(flash - beep, abs=0.03)
    assert after.duration == pytest.approx(before.duration, abs=0.041)


def test_a_gap_in_sound_that_is_encoded_again_becomes_silence(tmp_path, ffmpeg):
    video = tmp_path / "a.mkv"
    gap = f"{SILENCE_TONE},aselect='not(between(t,0.5,1.5))'"
    ffmpeg("-f", "lavfi", "-i", BLACK_WHITE, "-f", "lavfi", "-i", gap, "-c:v", "mpeg4", "-c:a", "pcm_s16be", video)
    flash, beep = flash_and_beep(video)
    flash_after, beep_after = flash_and_beep(convert_video(video, OPTIONS).video)
    assert (flash_after - beep_after) == pytest.approx(flash - beep, abs=0.03)


def test_sound_of_the_whole_real_clip_is_copied(testdata, tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes((testdata / "short_hamilton_clip.mp4").read_bytes())
    before, sound = probe(video), packets(video)
    conversion = convert_video(video, OPTIONS)
    after = probe(conversion.video)
    assert packets(conversion.video) == sound
    assert before.audio is not None
    assert after.audio is not None
    assert after.start - after.audio.start == pytest.approx(before.start - before.audio.start, abs=0.021)
