from fractions import Fraction
from itertools import accumulate
from urllib.parse import unquote_to_bytes

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.export import write_edl, write_otio
from lib.video.scenes.table import Scene

NAMES = [
    "film.mp4",
    "a film, 'quoted' \"twice\".mov",
    "two\nlines\r\n002  BLACK V C 00:00:00:00.mp4",
    "\u2028separator\x85and\x00nul.mp4",
    "été 🎬.mp4",
    "* FROM CLIP NAME: other.mp4",
    "bytes\udcff.mp4",
    "x" * 251 + ".mp4",
]


def scenes_of(lengths):
    ends = list(accumulate(lengths))
    return [Scene(n, end - length + 1, end) for n, (end, length) in enumerate(zip(ends, lengths, strict=True), start=1)]


def ranges(timeline):
    """The first frame (from 1) and the last of each clip, as another program reads them."""
    clips = timeline.find_clips()
    starts = [clip.source_range.start_time.to_frames() + 1 for clip in clips]
    ends = [clip.source_range.end_time_inclusive().to_frames() + 1 for clip in clips]
    return list(zip(starts, ends, strict=True))


def read_edl(path, rate=25):
    return otio.adapters.read_from_string(path.read_text(encoding="utf-8"), "cmx_3600", rate=rate)


@given(lengths=st.lists(st.integers(1, 50_000), min_size=1, max_size=40), rate=st.sampled_from([24, 25, 30, 50]))
def test_both_are_read_back_with_the_same_ranges(tmp_path_factory, lengths, rate):
    folder, scenes = tmp_path_factory.mktemp("export"), scenes_of(lengths)
    write_edl(scenes, Fraction(rate), "film.mp4", folder / "film.edl")
    write_otio(scenes, Fraction(rate), "film.mp4", folder / "film.otio")
    expected = [(scene.frame_in, scene.frame_out) for scene in scenes]
    assert ranges(read_edl(folder / "film.edl", rate)) == expected
    assert ranges(otio.adapters.read_from_file(str(folder / "film.otio"))) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_adds_no_event(tmp_path, name):
    scenes = scenes_of([79, 47, 1])
    write_edl(scenes, Fraction(25), name, tmp_path / "list.edl")
    write_otio(scenes, Fraction(25), name, tmp_path / "list.otio")
    text = (tmp_path / "list.edl").read_text(encoding="utf-8")
    assert sum(line[:3].isdigit() for line in text.splitlines()) == 3
    assert ranges(read_edl(tmp_path / "list.edl")) == [(1, 79), (80, 126), (127, 127)]
    clip = otio.adapters.read_from_file(str(tmp_path / "list.otio")).find_clips()[0]
    assert unquote_to_bytes(clip.media_reference.target_url) == name.encode(errors="surrogateescape")


def test_an_event_as_editing_programs_know_it(tmp_path):
    write_edl(scenes_of([79, 47]), Fraction(25), "Rushes du 3 mai.mp4", tmp_path / "list.edl")
    assert (tmp_path / "list.edl").read_bytes().decode().split("\r\n") == [
        "TITLE: Rushes du 3 mai",
        "FCM: NON-DROP FRAME",
        "",
        "001  RUSHESDU V     C        00:00:00:00 00:00:03:04 00:00:00:00 00:00:03:04",
        "* FROM CLIP NAME: Rushes du 3 mai.mp4",
        "* COMMENT: SCENE 1",
        "002  RUSHESDU V     C        00:00:03:04 00:00:05:01 00:00:03:04 00:00:05:01",
        "* FROM CLIP NAME: Rushes du 3 mai.mp4",
        "* COMMENT: SCENE 2",
        "",
    ]


def test_more_events_than_three_digits_count(tmp_path):
    scenes = scenes_of([2] * 1200)
    write_edl(scenes, Fraction(25), "film.mp4", tmp_path / "list.edl")
    assert len(ranges(read_edl(tmp_path / "list.edl"))) == 1200


def test_a_rate_that_is_no_whole_number_keeps_its_frames(tmp_path):
    rate = Fraction(30000, 1001)
    write_otio(scenes_of([30, 30]), rate, "film.mp4", tmp_path / "list.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "list.otio"))
    assert ranges(timeline) == [(1, 30), (31, 60)]
    assert timeline.duration().to_seconds() == pytest.approx(60 / rate)
