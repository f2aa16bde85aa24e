import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from lib.progress import silent
from lib.video.audio.result import listed, write_json, write_rttm
from lib.video.audio.scoring import read_rttm
from lib.video.audio.segments import Segment

SEGMENTS = [Segment(0.04, 0.12, "SPEAKER_00"), Segment(0.08, 0.16, "SPEAKER_01"), Segment(0.2, 0.24, None)]
GOLDEN = b"""{"provenance":{"phase":"audio"},"engine":{"name":"x"},"frames_analysis":[
{"frame":1,"audio_info":{"is_speech_present":false,"num_distinct_speakers_audio":0,"active_speaker_labels":[],"timecode_sec":0.0}},
{"frame":2,"audio_info":{"is_speech_present":true,"num_distinct_speakers_audio":1,"active_speaker_labels":["SPEAKER_00"],"timecode_sec":0.04}},
{"frame":3,"audio_info":{"is_speech_present":true,"num_distinct_speakers_audio":2,"active_speaker_labels":["SPEAKER_00","SPEAKER_01"],"timecode_sec":0.08}},
{"frame":4,"audio_info":{"is_speech_present":true,"num_distinct_speakers_audio":1,"active_speaker_labels":["SPEAKER_01"],"timecode_sec":0.12}},
{"frame":5,"audio_info":{"is_speech_present":false,"num_distinct_speakers_audio":0,"active_speaker_labels":[],"timecode_sec":0.16}},
{"frame":6,"audio_info":{"is_speech_present":true,"num_distinct_speakers_audio":0,"active_speaker_labels":[],"timecode_sec":0.2}}
]}
"""


def test_the_json_file_is_to_the_contract_byte_for_byte(tmp_path: Path) -> None:
    target = tmp_path / "film_audio.json"
    header = {"provenance": {"phase": "audio"}, "engine": {"name": "x"}}
    assert write_json(target, header, SEGMENTS, 6, Fraction(25), silent) == 4
    assert target.read_bytes() == GOLDEN
    assert list(tmp_path.iterdir()) == [target]


def test_the_contract_of_the_reduced_file_can_be_made_from_it(tmp_path: Path, testdata: Path) -> None:
    contract = json.loads((testdata / "contracts" / "video_audio.reduced.json").read_text())
    target = tmp_path / "film_audio.json"
    write_json(target, {"provenance": {}}, SEGMENTS, 60, Fraction(25), silent)
    written = json.loads(target.read_text())
    for theirs, ours in zip(contract["frames_analysis"], written["frames_analysis"], strict=True):
        assert theirs["frame"] == ours["frame"]
        for key, value in theirs["audio_info"].items():
            assert type(ours["audio_info"][key]) is type(value)


def test_a_video_of_no_frames_gives_an_empty_list(tmp_path: Path) -> None:
    target = tmp_path / "film_audio.json"
    write_json(target, {"provenance": {}}, [], 0, Fraction(25), silent)
    assert json.loads(target.read_text())["frames_analysis"] == []


def test_work_that_is_stopped_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "film_audio.json"
    target.write_text("old")

    def stop(done: int, total: int, item: str = "") -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        write_json(target, {"provenance": {}}, SEGMENTS, 5000, Fraction(25), stop)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["film", "a film", 'it\'s\n"odd" 🎬', os.fsdecode(b"caf\xe9")])
def test_rttm_is_read_back_whatever_the_video_is_called(tmp_path: Path, name: str) -> None:
    target = tmp_path / "out.rttm"
    write_rttm(target, Path(f"{name}.mp4"), SEGMENTS)
    lines = target.read_bytes().splitlines()
    assert len(lines) == 3
    assert all(len(line.split()) == 10 for line in lines)
    if name == "film":
        found = read_rttm(target, "film")
        assert [(each.start, each.end, each.speaker) for each in found] == [
            (0.04, pytest.approx(0.12), "SPEAKER_00"),
            (0.08, pytest.approx(0.16), "SPEAKER_01"),
            (0.2, pytest.approx(0.24), "UNKNOWN"),
        ]


def test_segments_are_listed_to_the_millisecond() -> None:
    assert listed([Segment(1 / 3, 2 / 3, None)]) == [{"start": 0.333, "end": 0.667, "speaker": None}]
