"""What comes out of a conversion, seen from outside."""

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lib.errors import InputError
from lib.files import is_temporary, sha256
from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions
from lib.video.media import decode_frames, probe

OPTIONS = ConvertOptions(encoder="x264", preset="ultrafast")


def names_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "rate", "options"),
    [
        ("a.mp4", 25, []),
        ("a.mkv", 25, []),
        ("a.mov", 25, ["-c:v", "mpeg4"]),
        ("a.webm", 25, ["-c:v", "libvpx", "-deadline", "realtime"]),
        ("a.flv", 25, ["-c:v", "libx264"]),
        ("a.wmv", 25, ["-c:v", "wmv2"]),
        ("a.avi", 25, ["-c:v", "mpeg4"]),
    ],
)
def test_exactly_25_is_left_alone(make, name, rate, options):
    video = make(name, *options, rate=rate, seconds=2)
    before = (video.stat().st_ino, video.read_bytes())
    conversion = convert_video(video, OPTIONS)
    assert (conversion.action, conversion.video, conversion.original) == ("kept", video, None)
    assert "exactly 25" in conversion.reason
    assert (video.stat().st_ino, video.read_bytes()) == before
    assert names_of(video.parent) == [name]


@pytest.mark.parametrize(
    ("name", "rate", "options", "after"),
    [
        ("a.mp4", "24.98", [], "a.mp4"),
        ("a.mkv", "24.98", [], "a.mkv"),
        ("a.MOV", "30000/1001", ["-f", "mov"], "a.MOV"),
        ("a.m4v", "50", ["-f", "mp4"], "a.m4v"),
        ("a.webm", "24", ["-c:v", "libvpx", "-deadline", "realtime"], "a.mp4"),
        ("a.flv", "30", ["-c:v", "libx264"], "a.mp4"),
        ("a.wmv", "29.97", ["-c:v", "wmv2"], "a.mp4"),
        ("a.avi", "15", ["-c:v", "mpeg4"], "a.mp4"),
        ("a.ts", "60000/1001", [], "a.mp4"),
        ("a.mpg", "30000/1001", ["-c:v", "mpeg2video"], "a.mp4"),
    ],
)
def test_every_other_rate_becomes_exactly_25(make, name, rate, options, after):
    video = make(name, *options, rate=rate, seconds=4, sound=True)
    before = probe(video)
    conversion = convert_video(video, OPTIONS)
    result = probe(conversion.video)
    assert (conversion.action, conversion.video.name) == ("converted", after)
    assert (result.constant, result.frame_rate) == (True, 25)
    assert abs(result.frames - before.duration * 25) <= 1
    assert result.duration == pytest.approx(before.duration, abs=0.041)
    assert (conversion.frames, conversion.seconds) == (result.frames, result.duration)
    assert result.audio is not None
    assert names_of(video.parent) == sorted([after, f"originals/{name}"])
    assert convert_video(conversion.video, OPTIONS).action == "kept"


@pytest.mark.parametrize(("fps", "exact"), [(23.976, Fraction(24000, 1001)), (30, 30), (12.5, Fraction(25, 2))])
def test_another_rate_may_be_asked_for(make, fps, exact):
    options = ConvertOptions(encoder="x264", preset="ultrafast", fps=fps)
    conversion = convert_video(make("a.mp4", rate=25, seconds=2), options)
    assert probe(conversion.video).frame_rate == exact
    assert convert_video(conversion.video, options).action == "kept"


def brightness(video):
    return [int(picture.mean()) for picture in decode_frames(video, format="gray")]


def test_variable_rate_is_put_on_its_timeline(make):
    """One grey per source frame; 40 ms before the gap, then 10 frames missing."""
    grey = "color=s=64x48:r=30:d=2,format=gray,geq=lum='16+N*3',select='not(between(n,20,34))'"
    video = make("a.mp4", "-fps_mode", "vfr", source=grey)
    assert not probe(video).constant
    conversion = convert_video(video, OPTIONS)
    assert "variable" in conversion.reason
    levels = brightness(conversion.video)
    assert len(levels) == 50
    for number, level in enumerate(levels):
        source = (level - 16) / 3
        # The frame shown is the one whose time, on the grid of 25, is the last before: the frozen one in the gap.
        at = number / 25 * 30
        expected = 19 if 20 <= at < 34.4 else at
        assert abs(source - expected) <= 1.0, (number, source, expected)


def test_variable_rate_of_a_real_film(testdata, tmp_path):
    """Frames 60 and 140 of the file are at 90 and 210 of the 24000/1001 timeline."""
    source = testdata / "goldeneye-vfr-drop3.mp4"
    video = tmp_path / source.name
    video.write_bytes(source.read_bytes())
    small = {"width": 64, "height": 32, "format": "gray"}
    before = list(decode_frames(video, **small))
    after = list(decode_frames(convert_video(video, OPTIONS).video, **small))
    assert abs(len(after) - 10.01 * 25) <= 1
    for frame, on_timeline in ((60, 90), (140, 210)):
        place = round(on_timeline * 1001 / 24000 * 25)
        distances = [np.abs(before[frame].astype(int) - after[place + shift]).mean() for shift in (-12, 0, 12)]
        assert distances[1] < 6
        assert distances[1] == min(distances)


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("mirror", [(), ("-display_hflip",)])
def test_rotated_pictures_are_baked_in_upright(make, tmp_path, ffmpeg, turn, mirror):
    flat = make("flat.mp4", size="96x64", seconds=0.5)
    video = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", turn, *mirror, "-i", flat, "-c", "copy", video)
    before = next(decode_frames(video)).astype(int)
    conversion = convert_video(video, OPTIONS)
    media = probe(conversion.video)
    assert media.rotation == 0
    assert (media.height, media.width) == before.shape[:2]
    assert np.abs(next(decode_frames(conversion.video)) - before).mean() < 6
    assert "upright" in conversion.reason


def test_a_real_portrait_clip_stays_upright(testdata, tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes((testdata / "issue-134-rotate.mp4").read_bytes())
    before = next(decode_frames(video, width=68)).astype(int)
    after = next(decode_frames(convert_video(video, OPTIONS).video, width=68))
    assert after.shape == before.shape == (160, 68, 3)
    assert np.abs(after - before).mean() < 6


@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix", "span", "codes"),
    [
        ("bt709", "bt709", "bt709", "tv", (1, 1, 1, 1)),
        ("bt709", "bt709", "bt709", "pc", (1, 1, 1, 2)),
        ("smpte170m", "smpte170m", "smpte170m", "tv", (6, 6, 6, 1)),
        ("bt2020", "smpte2084", "bt2020nc", "tv", (9, 16, 9, 1)),
        ("bt2020", "arib-std-b67", "bt2020nc", "tv", (9, 18, 9, 1)),
    ],
)
@pytest.mark.parametrize("depth", ["yuv420p", "yuv420p10le"])
def test_colour_tags_and_depth_are_kept(make, primaries, transfer, matrix, span, codes, depth):
    tags = f"setparams=color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}:range={span}"
    video = make("a.mp4", "-vf", tags, "-pix_fmt", depth, seconds=0.3)
    before = probe(video)
    colour = before.colour
    assert (colour.primaries, colour.transfer, colour.matrix, colour.range) == codes
    first = next(decode_frames(video)).astype(int)
    conversion = convert_video(video, OPTIONS)
    after = probe(conversion.video)
    assert after.colour == colour
    # The decoder's own name for full range is yuvj420p.
    assert (after.bit_depth, after.pixel_format.replace("j", "")) == (before.bit_depth, depth)
    assert np.abs(next(decode_frames(conversion.video)) - first).mean() < 6


def test_pictures_in_rgb_are_tagged_with_the_matrix_that_was_used(make):
    video = make("a.avi", "-c:v", "ffvhuff", "-pix_fmt", "rgb24", source="color=red:s=64x48:r=30:d=0.5,format=rgb24")
    conversion = convert_video(video, OPTIONS)
    assert probe(conversion.video).colour.matrix == 1
    red = next(decode_frames(conversion.video)).reshape(-1, 3).mean(axis=0)
    assert red == pytest.approx([255, 0, 0], abs=8)


@pytest.mark.parametrize("size", ["63x47", "63x48", "64x47", "1x1", "3x2"])
def test_odd_sizes_keep_every_pixel_in_its_place(make, size):
    width, height = map(int, size.split("x"))
    video = make("a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv444p", source=f"testsrc=s={size}:d=0.5:r=30")
    before = next(decode_frames(video, format="gray")).astype(int)
    conversion = convert_video(video, OPTIONS)
    after = next(decode_frames(conversion.video, format="gray"))
    assert after.shape == (height + height % 2, width + width % 2)
    assert np.abs(after[:height, :width] - before).mean() < 12
    assert np.abs(after[:, -1].astype(int) - after[:, width - 1]).mean() < 6
    assert "odd size" in conversion.reason


def test_one_frame(make):
    conversion = convert_video(make("a.mp4", "-frames:v", 1), OPTIONS)
    assert (conversion.action, conversion.frames, conversion.seconds) == ("converted", 1, 0.04)
    assert convert_video(conversion.video, OPTIONS).action == "kept"


def test_no_sound_is_said(make):
    conversion = convert_video(make("a.mp4"), OPTIONS)
    assert "no sound" in conversion.reason
    assert probe(conversion.video).audio is None


def test_interlaced_pictures_are_made_progressive_and_it_is_said(make):
    video = make("a.mp4", "-vf", "interlace", "-flags", "+ildct+ilme", "-x264opts", "tff=1", rate=60)
    assert probe(video).interlaced
    conversion = convert_video(video, OPTIONS)
    assert "interlaced" in conversion.reason
    assert not probe(conversion.video).interlaced


def test_the_same_input_gives_the_same_bytes(make, tmp_path):
    video = make("a.avi", "-c:v", "mpeg4", "-c:a", "pcm_s16le", sound=True, seconds=3, size="320x240")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "other name.avi").write_bytes(video.read_bytes())
    one, two = (convert_video(tmp_path / folder / "other name.avi", OPTIONS).video for folder in ("one", "two"))
    assert sha256(one) == sha256(two)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
def test_subtitles_and_titles_come_along(make, tmp_path, ffmpeg, name):
    (tmp_path / "a.srt").write_text("1\n00:00:00,200 --> 00:00:00,800\nBonjour\n")
    video = tmp_path / name
    codec = "subrip" if name == "a.mkv" else "mov_text"
    ffmpeg("-i", make("b.mp4"), "-i", tmp_path / "a.srt", "-c", "copy", "-c:s", codec, "-metadata", "title=Été", video)
    with av.open(str(convert_video(video, OPTIONS).video)) as container:
        assert [stream.codec_context.codec.canonical_name for stream in container.streams.subtitles] == [codec]
        assert container.metadata["title"] == "Été"


def test_what_is_not_taken_along_is_said(make, tmp_path, ffmpeg):
    (tmp_path / "a.srt").write_text("1\n00:00:00,200 --> 00:00:00,800\nBonjour\n")
    plain = make("b.mp4")
    video = tmp_path / "a.mp4"
    ffmpeg("-i", plain, "-i", tmp_path / "a.srt", "-i", plain, "-map", 0, "-map", 1, "-map", 2, "-c:v", "copy", "-c:s",
           "subrip", "-f", "matroska", video)  # fmt: skip
    conversion = convert_video(video, OPTIONS)
    assert "subtitles (subrip)" in conversion.reason
    assert "1 more picture stream" in conversion.reason


NAMES = ["with space.mp4", "qu'o\"te.mp4", "🎬.mp4", "line\nbreak.mp4", "-dash.mp4", "100%d %03d.mp4", "file:a.mp4",
         "é" * 125 + "x.mp4", "[a]*?{b}.mp4", "back\\slash.mp4", "é" * 126 + ".ts", "x" * 251 + ".avi",
         ".hidden.mp4"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_works(make, tmp_path, monkeypatch, name):
    folder = tmp_path / "rushes 100%d: 🎬"
    folder.mkdir()
    make("plain.mp4", seconds=0.3).rename(folder / name)
    monkeypatch.chdir(folder)
    conversion = convert_video(folder / name, OPTIONS)
    assert probe(conversion.video).frame_rate == 25
    assert conversion.original == folder / "originals" / name
    assert len(names_of(folder)) == 2


def test_a_relative_path_works(make, tmp_path, monkeypatch):
    make("a.mp4", seconds=0.3).rename(tmp_path / "http:x.mp4")
    monkeypatch.chdir(tmp_path)
    assert convert_video(Path("http:x.mp4"), OPTIONS).action == "converted"


def test_progress_is_in_frames_of_the_result(make):
    calls = []
    convert_video(make("a.mp4", seconds=2), OPTIONS, lambda done, total, item="": calls.append((done, total)))
    assert calls[-1] == (50, 50)
    assert calls == sorted(calls)


def test_progress_that_raises_ends_everything(make):
    video = make("a.mp4", seconds=2)
    before = video.read_bytes()
    started = []
    original = subprocess.Popen.__init__

    class StoppedError(Exception):
        pass

    def stop(done, total, item=""):
        raise StoppedError

    def remember(self, *arguments, **named):
        original(self, *arguments, **named)
        started.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", remember)
        with pytest.raises(StoppedError):
            convert_video(video, OPTIONS, stop)
    assert started
    assert all(process.returncode is not None for process in started)
    assert video.read_bytes() == before
    assert names_of(video.parent) == ["a.mp4"]


def test_a_video_cut_in_the_middle_is_refused_unless_accepted(make, tmp_path):
    whole = make("whole.mp4", "-movflags", "+faststart", seconds=6, sound=True).read_bytes()
    video = tmp_path / "a.mp4"
    video.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cut short"):
        convert_video(video, OPTIONS)
    assert not any(is_temporary(path) for path in tmp_path.iterdir())
    conversion = convert_video(video, OPTIONS.model_copy(update={"accept_truncated": True}))
    assert "cut short" in conversion.reason
    assert 1 < conversion.seconds < 5


def test_damage_inside_is_told(make, tmp_path):
    video = make("a.mkv", "-g", 10, seconds=4, size="320x240")
    content = bytearray(video.read_bytes())
    place = len(content) // 2
    content[place : place + 400] = bytes(400)
    video.write_bytes(content)
    conversion = convert_video(video, OPTIONS)
    assert "damaged" in conversion.reason
    assert conversion.frames == pytest.approx(100, abs=1)


def test_timestamps_that_span_too_long_are_refused(make):
    video = make("a.mp4", "-vf", "setpts=N*3600/TB", "-fps_mode", "passthrough", "-frames:v", 3)
    with pytest.raises(InputError, match="max_hours"):
        convert_video(video, OPTIONS.model_copy(update={"max_hours": 1.5}))


def test_asked_for_nvenc_falls_back_and_says_why(make):
    conversion = convert_video(make("a.mp4", seconds=0.3), ConvertOptions(encoder="nvenc", preset="ultrafast"))
    assert conversion.encoder in ("nvenc", "x264")
    if conversion.encoder == "x264":
        assert conversion.encoder_reason is not None
        assert conversion.encoder_reason.startswith("NVENC cannot be used here (")
