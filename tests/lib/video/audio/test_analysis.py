import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from lib.errors import InputError, UnavailableError
from lib.progress import silent
from lib.video.audio import analysis
from lib.video.audio.engines import embedded
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.scoring import read_rttm
from lib.video.provenance import Provenance

from .conftest import Make, tone
from .engines.conftest import KEY, Answer, Lemonfox

SHA = hashlib.sha256(b"a video").hexdigest()
NOBODY = Secrets()
EMBEDDED = AudioOptions(engines=("embedded",))

missing = embedded.unavailable(EMBEDDED, NOBODY)
with_embedded = pytest.mark.skipif(missing is not None, reason=f"the embedded engine cannot run here: {missing}")


@pytest.fixture
def lemonfox() -> object:
    server = Lemonfox()
    yield server
    server.close()


def asking(lemonfox: Lemonfox, *engines: str, **settings: object) -> AudioOptions:
    return AudioOptions(
        engines=engines or ("lemonfox",),
        lemonfox_url=lemonfox.url,
        lemonfox_attempts=1,
        **settings,  # type: ignore[arg-type]
    )


def test_both_files_are_written_and_the_provenance_comes_first(make: Make, lemonfox: Lemonfox) -> None:
    lemonfox.says(
        {"start": 0.0, "end": 0.98, "speaker": "B"},
        {"start": 0.5, "end": 1.2, "speaker": "A"},
        {"start": 1.6, "end": 1.65, "speaker": "C"},
    )
    video = make(tone(2.0), "a film.mkv")
    summary = analysis.analyse(video, asking(lemonfox), SHA, silent, Secrets(lemonfox_api_key=KEY))
    result, rttm = analysis.outputs(video)
    written = json.loads(result.read_text())
    assert next(iter(written)) == "provenance"
    assert written["engine"] == {"name": "lemonfox", "version": "v1"}
    assert written["tried"] == []
    assert written["speakers"] == ["SPEAKER_00", "SPEAKER_01"]
    assert written["segments"] == [
        {"start": 0.0, "end": 0.98, "speaker": "SPEAKER_00"},
        {"start": 0.5, "end": 1.2, "speaker": "SPEAKER_01"},
    ]
    frames = written["frames_analysis"]
    assert [each["frame"] for each in frames] == list(range(1, 51))
    assert frames[15]["audio_info"] == {
        "is_speech_present": True,
        "num_distinct_speakers_audio": 2,
        "active_speaker_labels": ["SPEAKER_00", "SPEAKER_01"],
        "timecode_sec": 0.6,
    }
    assert [each["audio_info"]["is_speech_present"] for each in frames] == [True] * 30 + [False] * 20
    assert [each.speaker for each in read_rttm(rttm, "a_film")] == ["SPEAKER_00", "SPEAKER_01"]
    assert dict(summary.counts) == {
        "frames": 50, "speakers": 2, "segments": 2, "speech_frames": 30, "speech_seconds": 1.2,
    }  # fmt: skip
    assert sorted(video.parent.iterdir()) == sorted([video, result, rttm])


def test_the_result_is_the_one_that_the_choice_announces(make: Make, lemonfox: Lemonfox) -> None:
    lemonfox.says()
    video, options, secrets = make(tone(2.0)), asking(lemonfox), Secrets(lemonfox_api_key=KEY)
    choice = analysis.choose(options, secrets)
    analysis.analyse(video, options, SHA, silent, secrets)
    provenance = Provenance.read(analysis.outputs(video)[0])
    assert provenance is not None
    assert (provenance.engine, provenance.engine_version) == (choice.engine, choice.version)
    assert provenance.reason == "the first of the chain"


def test_secrets_are_in_no_file(make: Make, lemonfox: Lemonfox) -> None:
    lemonfox.answers = [Answer(400, KEY.encode())]
    video = make(None)
    analysis.analyse(video, asking(lemonfox), SHA, silent, Secrets(KEY, KEY))
    assert all(KEY.encode() not in each.read_bytes() for each in video.parent.iterdir())


@with_embedded
def test_an_engine_that_fails_falls_through_and_the_file_says_why(make: Make, lemonfox: Lemonfox) -> None:
    lemonfox.answers = [Answer(402)]
    video = make(tone(2.0))
    options = asking(lemonfox, "telepathy", "lemonfox", "embedded")
    assert analysis.choose(options, Secrets(lemonfox_api_key=KEY)).engine == "lemonfox"
    summary = analysis.analyse(video, options, SHA, silent, Secrets(lemonfox_api_key=KEY))
    written = json.loads(analysis.outputs(video)[0].read_text())
    assert summary.engine == written["engine"]["name"] == written["provenance"]["engine"] == "embedded"
    assert [each["engine"] for each in written["tried"]] == ["telepathy", "lemonfox"]
    assert "no such engine" in written["tried"][0]["reason"]
    assert "payment" in written["tried"][1]["reason"]
    assert "payment" in summary.reason
    assert any("lemonfox failed" in note for note in summary.notes)
    assert written["segments"] == []  # a tone is no speech


@with_embedded
def test_an_engine_without_its_key_is_passed_over(make: Make) -> None:
    choice = analysis.choose(AudioOptions(engines=("lemonfox", "embedded")), NOBODY)
    assert choice.engine == "embedded"
    assert "LEMONFOX_API_KEY" in choice.reason


def test_when_no_engine_can_run_it_says_what_is_missing_for_each() -> None:
    with pytest.raises(UnavailableError, match=r"lemonfox: no key.*psychic: there is no such engine"):
        analysis.choose(AudioOptions(engines=("lemonfox", "psychic")), NOBODY)


def test_when_every_engine_fails_nothing_is_written(make: Make, lemonfox: Lemonfox) -> None:
    lemonfox.answers = [Answer(500)]
    video = make(tone(2.0))
    with pytest.raises(UnavailableError, match=r"Every audio engine failed\. lemonfox: Lemonfox is out of order"):
        analysis.analyse(video, asking(lemonfox), SHA, silent, Secrets(lemonfox_api_key=KEY))
    assert list(video.parent.iterdir()) == [video]


def test_work_that_is_stopped_is_no_failure_of_the_engine(make: Make, lemonfox: Lemonfox) -> None:
    video = make(tone(2.0))

    def stop(done: int, total: int, item: str = "") -> None:
        raise InterruptedError("stop")

    with pytest.raises(InterruptedError):
        analysis.analyse(video, asking(lemonfox, "lemonfox", "embedded"), SHA, stop, Secrets(lemonfox_api_key=KEY))
    assert list(video.parent.iterdir()) == [video]


def test_a_video_without_sound_is_silent_throughout(make: Make, lemonfox: Lemonfox) -> None:
    video = make(None, frames=7)
    summary = analysis.analyse(video, asking(lemonfox), SHA, silent, Secrets(lemonfox_api_key=KEY))
    written = json.loads(analysis.outputs(video)[0].read_text())
    assert [each["audio_info"]["is_speech_present"] for each in written["frames_analysis"]] == [False] * 7
    assert "no sound" in written["provenance"]["reason"]
    assert summary.counts["speech_frames"] == 0
    assert lemonfox.requests == []
    assert analysis.outputs(video)[1].read_bytes() == b""


@pytest.mark.parametrize("content", [b"", b"nothing like a video", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100])
def test_what_is_no_video_is_refused_in_words(tmp_path: Path, lemonfox: Lemonfox, content: bytes) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(content)
    with pytest.raises(InputError):
        analysis.analyse(video, asking(lemonfox), SHA, silent, Secrets(lemonfox_api_key=KEY))


def test_names_of_255_bytes_and_odd_ones_are_written(make: Make, tmp_path: Path, lemonfox: Lemonfox) -> None:
    lemonfox.says({"start": 0, "end": 1, "speaker": "A"})
    made = make(tone(1.0), frames=25)
    # The longest stem to which "_audio.json" can be added.
    for stem in ("x" * 240, 'it\'s\n"odd" 🎬', os.fsdecode(b"caf\xe9")):
        video = made.rename(tmp_path / f"{stem}.mkv")
        analysis.analyse(video, asking(lemonfox), SHA, silent, Secrets(lemonfox_api_key=KEY))
        assert all(each.is_file() for each in analysis.outputs(video))
        made = video


def test_progress_goes_forward_to_its_end(make: Make, lemonfox: Lemonfox) -> None:
    lemonfox.says()
    seen: list[tuple[int, int, str]] = []

    def watch(done: int, total: int, item: str = "") -> None:
        seen.append((done, total, item))

    analysis.analyse(make(tone(2.0)), asking(lemonfox), SHA, watch, Secrets(lemonfox_api_key=KEY))
    assert seen
    shares = [done / total for done, total, _ in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert np.all(np.array(shares) <= 1.0)
