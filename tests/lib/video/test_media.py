import subprocess
import threading
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.errors import InputError
from lib.video.media import decode_frames, probe, thumbnail
from lib.video.timing import REORDER, Timing


def make(target, *arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *map(str, arguments), f"file:{target}"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return target


def picture(rate=30, seconds=1, size="64x48"):
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]


TONE = ["-f", "lavfi", "-i", "sine=r=48000:d=1"]

FACTS = [
    (
        "a.mp4",
        [*picture(), *TONE],
        {
            "frames": 30,
            "frame_rate": 30,
            "constant": True,
            "duration": 1.0,
            "width": 64,
            "height": 48,
            "codec": "h264",
            "bit_depth": 8,
            "has_alpha": False,
            "rotation": 0,
            "audio_streams": 1,
            "missing": 0.0,
        },
    ),
    (
        "ntsc.mkv",
        picture("30000/1001"),
        {"frame_rate": Fraction(30000, 1001), "constant": True, "frames": 30, "audio": None},
    ),
    (
        "film.flv",
        [*picture("24000/1001", 2), "-c:v", "libx264"],
        {"frame_rate": Fraction(24000, 1001), "constant": True},
    ),
    ("almost.mp4", picture("24.98", 2), {"frame_rate": Fraction("24.98"), "constant": True}),
    ("almost.mkv", picture("24.98", 4), {"frame_rate": Fraction("24.98"), "constant": True}),
    ("exact.webm", [*picture(25), "-c:v", "libvpx-vp9", "-deadline", "realtime"], {"frame_rate": 25, "constant": True}),
    (
        "hidden.webm",
        [*picture(25, 3), "-c:v", "libvpx", "-auto-alt-ref", 1, "-lag-in-frames", 16, "-b:v", "90k"],
        {"frames": 75, "frame_rate": 25, "constant": True},
    ),
    ("a.avi", [*picture(25), "-c:v", "mpeg4"], {"frame_rate": 25, "constant": True, "frames": 25, "codec": "mpeg4"}),
    ("a.ts", picture(25), {"frame_rate": 25, "constant": True, "frames": 25}),
    ("one.mp4", [*picture(25), "-frames:v", 1], {"frames": 1, "constant": True, "frame_rate": 25, "duration": 0.04}),
    ("ten.mov", [*picture(), "-pix_fmt", "yuv422p10le"], {"bit_depth": 10, "pixel_format": "yuv422p10le"}),
    ("alpha.mov", [*picture(), "-pix_fmt", "argb", "-c:v", "qtrle"], {"has_alpha": True, "codec": "qtrle"}),
    ("alpha.webm", [*picture(5), "-pix_fmt", "yuva420p", "-c:v", "libvpx-vp9"], {"has_alpha": True, "codec": "vp9"}),
    (
        "odd.mkv",
        ["-f", "lavfi", "-i", "testsrc=s=63x47:d=1", "-c:v", "ffv1", "-pix_fmt", "yuv444p"],
        {"width": 63, "height": 47},
    ),
    (
        "dropped.mp4",
        [*picture(25), "-vf", "select=not(eq(n\\,12))", "-fps_mode", "vfr"],
        {"constant": False, "frames": 24},
    ),
    (
        "dropped.avi",
        [*picture(25), "-vf", "select=not(eq(n\\,12))", "-fps_mode", "vfr", "-c:v", "mpeg4", "-bf", 0],
        {"constant": False},
    ),
    (
        "jitter.mkv",
        [*picture(25), "-vf", "settb=1/1000,setpts=PTS+mod(N\\,2)", "-fps_mode", "vfr", "-enc_time_base", "1:1000"],
        {"constant": False},
    ),
    ("two.mkv", [*picture(), *TONE, *TONE, "-map", 0, "-map", 1, "-map", 2], {"audio_streams": 2}),
]


@pytest.mark.parametrize(("name", "arguments", "expected"), FACTS, ids=[name for name, _, _ in FACTS])
def test_facts_of_a_video(tmp_path, name, arguments, expected):
    media = probe(make(tmp_path / name, *arguments))
    assert {key: getattr(media, key) for key in expected} == expected


def test_colour_tags_and_audio(tmp_path):
    tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_range", "pc"]
    params = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=pc"
    media = probe(make(tmp_path / "a.mp4", *picture(), *TONE, "-vf", params, *tags, "-ac", 2))
    assert (media.colour.primaries, media.colour.transfer, media.colour.matrix, media.colour.range) == (9, 16, 9, 2)
    assert media.audio is not None
    assert (media.audio.codec, media.audio.rate, media.audio.channels) == ("aac", 48000, 2)
    assert media.audio.duration == pytest.approx(1, abs=0.05)


def test_start_of_a_late_picture(tmp_path):
    media = probe(
        make(
            tmp_path / "a.mp4", "-itsoffset", 0.4, *picture(25), *TONE, "-map", 0, "-map", 1, "-fps_mode", "passthrough"
        )
    )
    assert media.start == pytest.approx(0.4, abs=0.001)
    assert media.duration == 1.0


BAD = [
    ("empty.mp4", b"", "empty"),
    ("text.mp4", b"This is no video.\n" * 400, "not a video"),
    ("list.mp4", b"ffconcat version 1.0\nfile other.mp4\n", "not a video"),
    ("list.mkv", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n", "not a video"),
    ("zeros.avi", bytes(100_000), "not a video"),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD, ids=[name for name, _, _ in BAD])
def test_what_is_no_video_is_refused_in_words(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        probe(tmp_path / name)


def test_a_recording_without_its_index_is_called_truncated(tmp_path):
    whole = make(tmp_path / "a.mp4", *picture(seconds=3)).read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="truncated"):
        probe(tmp_path / "b.mp4")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_is_missing_of_a_file_cut_in_the_middle_is_told(tmp_path, suffix):
    options = ["-movflags", "+faststart"] if suffix == ".mp4" else []
    whole = make(tmp_path / f"a{suffix}", *picture(seconds=6), "-g", 10, *options).read_bytes()
    (tmp_path / f"b{suffix}").write_bytes(whole[: len(whole) // 2])
    media = probe(tmp_path / f"b{suffix}")
    assert media.missing == pytest.approx(3, abs=1)
    assert media.missing + media.duration == pytest.approx(6, abs=0.2)


def test_subtitles_that_go_on_after_the_picture_do_not_make_it_cut_short(tmp_path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,200 --> 00:00:12,000\nBonjour\n")
    media = probe(make(tmp_path / "a.mkv", *picture(25), "-i", tmp_path / "a.srt"))
    assert (media.duration, media.missing) == (1.0, 0.0)


def test_sound_alone_and_cover_art_are_no_moving_picture(tmp_path):
    with pytest.raises(InputError, match="only sound"):
        probe(make(tmp_path / "sound.mp4", *TONE))
    cover = ["-map", 0, "-map", 1, "-c:v", "mjpeg", "-frames:v", 1, "-disposition:v", "attached_pic"]
    with pytest.raises(InputError, match="still picture"):
        probe(make(tmp_path / "cover.mp4", *picture(), *TONE, *cover))


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(InputError, match="regular file"):
        probe(tmp_path / "folder.mp4")


ORIENTATIONS = [(turn, mirror) for turn in (0, 90, 180, 270) for mirror in ((), ("-display_hflip",))]


@pytest.mark.parametrize(("turn", "mirror"), ORIENTATIONS)
def test_pictures_come_upright(tmp_path, turn, mirror):
    """The reference is what FFmpeg shows: it turns pictures by itself."""
    flat = make(tmp_path / "flat.mp4", *picture(size="64x32"), "-frames:v", 3)
    turned = make(tmp_path / "turned.mp4", "-display_rotation", turn, *mirror, "-i", flat, "-c", "copy")
    raw = make(tmp_path / "raw.rgb", "-i", turned, "-pix_fmt", "rgb24", "-f", "rawvideo")
    media = probe(turned)
    expected = np.fromfile(raw, np.uint8).reshape(-1, media.height, media.width, 3)
    pictures = np.stack(list(decode_frames(turned)))
    assert pictures.shape == (3, 64, 32, 3) if turn in (90, 270) else (3, 32, 64, 3)
    assert np.abs(pictures.astype(int) - expected).mean() < 4
    assert np.abs(thumbnail(turned, 0, media.width).astype(int) - expected[0]).mean() < 4


def test_rotation_is_clockwise(tmp_path):
    flat = make(tmp_path / "flat.mp4", *picture())
    # FFmpeg's option counts anti-clockwise.
    assert probe(make(tmp_path / "turned.mp4", "-display_rotation", 270, "-i", flat, "-c", "copy")).rotation == 90


def test_pictures_are_scaled_as_asked(tmp_path):
    video = make(tmp_path / "a.mp4", *picture(size="64x32", rate=5))
    assert next(decode_frames(video, width=16)).shape == (8, 16, 3)
    assert next(decode_frames(video, height=16, format="gray")).shape == (16, 32)
    assert next(decode_frames(video, 20, 10, threads=1)).shape == (10, 20, 3)


def test_as_many_pictures_as_frames_and_a_thumbnail_is_the_one_shown(tmp_path):
    video = make(tmp_path / "a.mp4", *picture(10, 3))
    pictures = list(decode_frames(video))
    assert len(pictures) == probe(video).frames == 30
    for number in (0, 7, 16, 29):
        shown = thumbnail(video, number / 10 + 0.05, 64).astype(int)
        distances = [np.abs(shown - each).mean() for each in pictures]
        assert int(np.argmin(distances)) == number
    assert np.abs(thumbnail(video, 99, 64).astype(int) - pictures[-1]).mean() < 4


def test_leaving_the_stream_early_leaves_nothing_running(tmp_path):
    before = threading.active_count()
    frames = decode_frames(make(tmp_path / "a.mp4", *picture()))
    next(frames)
    frames.close()
    assert threading.active_count() == before


DECODE = """
import sys
from pathlib import Path
from lib.video.media import decode_frames
print(sum(1 for _ in decode_frames(Path(sys.argv[1]), threads=1)))
"""


def test_pictures_that_were_looked_at_are_given_back(tmp_path, peak_of):
    """A picture takes 1.4 MB here: two hundred that are held would take 270 MB more than ten."""
    short, long = (
        make(tmp_path / f"{frames}.mp4", *picture(25, seconds=frames / 25, size="1280x720"), "-preset", "ultrafast")
        for frames in (10, 200)
    )
    (few, low), (many, high) = peak_of(DECODE, short), peak_of(DECODE, long)
    assert (few, many) == ("10", "200")
    assert high - low < 30_000


NAMES = ["with space.mp4", "qu'o\"te.mp4", "🎬.mp4", "line\nbreak.mp4", "-dash.mp4", "100%d.mp4", "http:a.mp4",
         "é" * 125 + ".mp4", "[0-9]*?.mp4", "back\\slash.mp4", "latin\udce9.mp4"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_works(tmp_path, monkeypatch, name):
    make(tmp_path / "a.mp4", *picture(5)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(Path(name)).frames == 5


@settings(deadline=None)
@given(
    rate=st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(24), Fraction(50), Fraction(12)]),
    clock=st.sampled_from([1000, 90000, 12800, 30000]),
    start=st.integers(-5000, 5000),
    count=st.integers(40, 400),
    order=st.randoms(use_true_random=False),
)
def test_a_constant_rate_is_found_whatever_the_clock_and_the_order(rate, clock, start, count, order):
    timing = Timing(Fraction(1, clock))
    stamps = [start + round(index * clock / rate) for index in range(count)]
    for first in range(0, count, 16):
        block = stamps[first : first + 16]
        order.shuffle(block)
        for stamp in block:
            timing.add(stamp)
    timing.finish()
    found = timing.constant_rate()
    assert found is not None
    assert abs(found / rate - 1) < Fraction(1, 1000)


@settings(deadline=None)
@given(st.integers(2, 200), st.integers(2, 20))
def test_one_missing_frame_is_not_constant(before, after):
    timing = Timing(Fraction(1, 12800), [Fraction(25)])
    for index in range(before + after):
        timing.add((index + (index >= before)) * 512)
    timing.finish()
    assert timing.constant_rate() is None


def test_timing_keeps_no_more_than_its_window():
    timing = Timing(Fraction(1, 1000))
    for index in range(100_000):
        timing.add(index * 40)
        assert len(timing._waiting) <= REORDER
    timing.finish()
    assert timing.constant_rate() == 25
