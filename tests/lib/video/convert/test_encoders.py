"""The choice of the encoder, and what happens when the chosen one fails."""

import os
import sys
from pathlib import Path

import pytest

from lib.errors import UnavailableError
from lib.files import sha256
from lib.progress import silent
from lib.video.convert import convert, encoders, ffmpeg
from lib.video.convert.encoders import Encoder, choose, nvenc_problem
from lib.video.convert.options import ConvertOptions
from lib.video.media import probe


def test_x264_when_it_is_asked_for():
    assert choose(ConvertOptions(encoder="x264"), "yuv420p") == Encoder("x264", "x264 was asked for")


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p"])
def test_x264_for_pictures_that_nvenc_does_not_hold(pixel_format):
    encoder = choose(ConvertOptions(), pixel_format)
    assert encoder.name == "x264"
    assert pixel_format in encoder.reason


def test_the_trial_decides_and_says_why():
    encoder = choose(ConvertOptions(), "yuv420p")
    problem = nvenc_problem()
    assert encoder.name == ("x264" if problem else "nvenc")
    assert problem is None or problem in encoder.reason


def test_ffmpeg_knows_every_option_given_to_nvenc():
    trial = [part for part in encoders.TRIAL if part not in ("-c:v", "h264_nvenc")]
    arguments = [*trial[:4], *Encoder("nvenc", "").arguments(ConvertOptions()), *trial[4:]]
    if nvenc_problem() is None:
        ffmpeg.run(arguments, 5, silent)
        return
    with pytest.raises(ffmpeg.FFmpegError) as caught:
        ffmpeg.run(arguments, 5, silent)
    assert not caught.value.says("Unrecognized option", "Option not found", "Error parsing", "Undefined constant")


@pytest.mark.skipif(nvenc_problem() is None, reason="NVENC works here")
def test_nvenc_that_fails_on_a_video_falls_back_and_says_so(make, monkeypatch):
    monkeypatch.setattr(convert, "choose", lambda options, pixel_format: Encoder("nvenc", "NVENC works here"))
    conversion = convert.convert_video(make("a.mp4"), ConvertOptions(preset="ultrafast"))
    assert conversion.encoder == "x264"
    assert conversion.encoder_reason is not None
    assert conversion.encoder_reason.startswith("NVENC failed on this video (")
    assert probe(conversion.video).frame_rate == 25


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="binding to one core is a call of Linux")
def test_the_number_of_cores_does_not_change_the_bytes(make, tmp_path):
    source = make("a.mp4", size="640x480", seconds=2).read_bytes()
    hashes = set()
    cores = os.sched_getaffinity(0)
    for name, some in (("one", {min(cores)}), ("all", cores)):
        (tmp_path / name).mkdir()
        video = tmp_path / name / "a.mp4"
        video.write_bytes(source)
        try:
            os.sched_setaffinity(0, some)
            hashes.add(sha256(convert.convert_video(video, ConvertOptions(encoder="x264")).video))
        finally:
            os.sched_setaffinity(0, cores)
    assert len(hashes) == 1


def test_errors_of_ffmpeg_are_kept_in_bounds(tmp_path):
    """A child that complains without end does not fill our memory, nor stop."""
    child = [sys.executable, "-c", "import sys\nfor n in range(50000): print('bad block', n, file=sys.stderr)"]
    with ffmpeg._child(child) as process:
        assert process.stderr is not None
        complaints = ffmpeg._Complaints(process.stderr)
        assert process.wait(60) == 0
        lines = complaints.lines()
    assert (lines[0], lines[-1], len(lines)) == ("bad block 0", "bad block 49999", 2 * ffmpeg.KEPT_LINES)


RATES = [(25, "25"), (23.976, "24000/1001"), (29.97, "30000/1001"), (59.94, "60000/1001"), (24.98, "1249/50")]


@pytest.mark.parametrize(("fps", "exact"), [*RATES, (24, "24"), (12.5, "25/2")])
def test_rates_by_their_common_names(fps, exact):
    assert str(ConvertOptions(fps=fps).rate) == exact


def test_a_missing_program_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    ffmpeg.binary.cache_clear()
    with pytest.raises(UnavailableError, match="imageio-ffmpeg"):
        ffmpeg.binary()
    monkeypatch.undo()
    ffmpeg.binary.cache_clear()
    assert Path(ffmpeg.binary()).exists()
