"""A real alpha channel is left alone; one that is opaque everywhere is not real."""

import pytest

from lib.video.convert.alpha import has_real_alpha
from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions
from lib.video.media import probe

OPTIONS = ConvertOptions(encoder="x264", preset="ultrafast")

CODECS = {
    "qtrle": ("a.mov", "-c:v", "qtrle", "-pix_fmt", "argb"),
    "png": ("a.mov", "-c:v", "png", "-pix_fmt", "rgba"),
    "prores": ("a.mov", "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    "vp9": ("a.webm", "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime"),
    "vp8": ("a.webm", "-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", 0, "-deadline", "realtime"),
    "ffv1": ("a.mkv", "-c:v", "ffv1", "-pix_fmt", "yuva444p"),
    "utvideo": ("a.avi", "-c:v", "utvideo", "-pix_fmt", "gbrap"),
}


def source(alpha):
    return f"testsrc2=s=64x48:r=30:d=0.5,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='{alpha}'"


@pytest.mark.parametrize("codec", CODECS)
def test_an_opaque_channel_is_converted(make, codec):
    video = make(*CODECS[codec], source=source("255"))
    assert probe(video).has_alpha
    conversion = convert_video(video, OPTIONS)
    assert conversion.action == "converted"
    assert not probe(conversion.video).has_alpha


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("alpha", ["128", "255*gte(X,32)"])
def test_a_channel_that_shows_through_is_left_alone_and_said(make, codec, alpha):
    video = make(*CODECS[codec], source=source(alpha))
    before = video.read_bytes()
    conversion = convert_video(video, OPTIONS)
    assert (conversion.action, conversion.video, conversion.original) == ("left_alpha", video, None)
    assert "alpha" in conversion.reason
    assert video.read_bytes() == before
    assert [path.name for path in video.parent.iterdir()] == [video.name]


def test_one_frame_that_shows_through_is_found(make):
    video = make(*CODECS["qtrle"], source=source("if(eq(N,9),255*gte(X,1),255)"))
    assert has_real_alpha(video, probe(video))


def test_a_long_video_is_sampled_all_over(make):
    opaque = "color=red:s=32x32:r=30:d=30,format=argb"
    late = f"{opaque},geq=r=255:g=0:b=0:a='if(between(T,20,22),100,255)'"
    shown = make("late.mov", "-c:v", "qtrle", source=late)
    assert has_real_alpha(shown, probe(shown))
    hidden = make("never.mov", "-c:v", "qtrle", source=opaque)
    assert not has_real_alpha(hidden, probe(hidden))


def test_the_suffix_says_nothing(make, tmp_path):
    video = make("a.mov", "-c:v", "qtrle", "-pix_fmt", "argb", source=source("128")).rename(tmp_path / "a.mp4")
    assert convert_video(video, OPTIONS).action == "left_alpha"
    assert convert_video(make("b.mov"), OPTIONS).action == "converted"
