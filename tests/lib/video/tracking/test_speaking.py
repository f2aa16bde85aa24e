import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.tracking.speaking import AUDIO, MOUTH, Audio, Heard, attribute

CASES = {
    "without audio, mouths decide": ({"a": 0.1, "b": 0.01}, None, {"a": (True, [MOUTH], [])}),
    "a mouth moves while one is heard": (
        {"a": 0.1, "b": 0.01}, Heard(True, ("S1",)), {"a": (True, [MOUTH, AUDIO], ["S1"])},
    ),
    "of two that move, the one that moves most": (
        {"a": 0.1, "b": 0.2}, Heard(True, ("S1",)), {"a": (False, [MOUTH], []), "b": (True, [MOUTH, AUDIO], ["S1"])},
    ),
    "two are heard, two speak": (
        {"a": 0.1, "b": 0.2, "c": 0.05},
        Heard(True, ("S1", "S2")),
        {
            "a": (True, [MOUTH, AUDIO], ["S1", "S2"]),
            "b": (True, [MOUTH, AUDIO], ["S1", "S2"]),
            "c": (False, [MOUTH], []),
        },
    ),
    "a voice from outside of the picture": ({"a": 0.0}, Heard(True, ("S1",)), {}),
    "chewing in silence": ({"a": 0.3}, Heard(False, ()), {"a": (False, [MOUTH], [])}),
    "speech without a name": ({"a": 0.3}, Heard(True, ()), {"a": (True, [MOUTH, AUDIO], [])}),
    "nobody in the picture": ({}, Heard(True, ("S1",)), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_who_speaks(case: str) -> None:
    movements, heard, expected = CASES[case]
    found = attribute(movements, heard, threshold=0.03)
    assert set(found) == set(movements)
    for key, speech in found.items():
        speaks, sources, labels = expected.get(key, (False, [], []))
        assert (speech.speaks, list(speech.sources), list(speech.labels)) == (speaks, sources, labels)


@given(
    st.dictionaries(st.integers(), st.floats(0, 1), max_size=8),
    st.one_of(st.none(), st.builds(Heard, st.booleans(), st.lists(st.text(), max_size=3).map(tuple))),
)
def test_only_faces_whose_mouth_moves_speak_and_no_more_than_are_heard(movements, heard) -> None:
    speech = attribute(movements, heard, threshold=0.2)
    speaking = {key for key, said in speech.items() if said.speaks}
    assert all(movements[key] >= 0.2 for key in speaking)
    if heard:
        assert len(speaking) <= max(1, len(heard.labels))
        assert not speaking or heard.speech


def write_audio(path: Path, frames: list[dict[str, object]], **header: object) -> Path:
    path.write_text(json.dumps({**header, "frames_analysis": frames}, indent=1))
    return path


def test_the_audio_is_read_beside_the_frames(tmp_path: Path) -> None:
    frames = [
        {"frame": n, "audio_info": {"is_speech_present": n > 2, "active_speaker_labels": ["S1"] * (n > 3)}}
        for n in (1, 2, 3, 5)
    ]
    audio = Audio(write_audio(tmp_path / "a.json", frames, provenance={"phase": "audio"}))
    assert audio.known
    assert [audio.at(n) for n in range(1, 7)] == [
        Heard(False, ()), Heard(False, ()), Heard(True, ()), None, Heard(True, ("S1",)), None,
    ]  # fmt: skip
    assert audio.problem == ""


def test_a_reduced_result_without_the_speech_flag_still_says_who_speaks(tmp_path: Path) -> None:
    frames = [{"frame": 1, "audio_info": {"active_speaker_labels": ["S1"]}}, {"frame": 2, "audio_info": {}}]
    audio = Audio(write_audio(tmp_path / "a.json", frames))
    assert [audio.at(1), audio.at(2)] == [Heard(True, ("S1",)), Heard(False, ())]


def test_without_a_result_nothing_is_known() -> None:
    audio = Audio(None)
    assert not audio.known
    assert audio.at(1) is None


@pytest.mark.parametrize(
    "content", ["", "not json", "[]", '{"frames_analysis": [{"frame": 1}]}', '{"frames_analysis": [{"frame": 1, "au']
)
def test_a_broken_result_counts_as_missing_and_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    audio = Audio(path)
    assert audio.at(1) is None
    assert audio.problem


def test_a_result_cut_off_in_the_middle_serves_up_to_there(tmp_path: Path) -> None:
    frames = [{"frame": n, "audio_info": {"is_speech_present": True, "active_speaker_labels": []}} for n in (1, 2)]
    path = write_audio(tmp_path / "a.json", frames)
    path.write_text(path.read_text()[:-40])
    audio = Audio(path)
    assert audio.at(1) == Heard(True, ())
    assert audio.at(2) is None
    assert audio.problem
