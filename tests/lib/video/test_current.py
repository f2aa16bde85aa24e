"""Whether there is something to do is answered as the analysis itself would choose its engine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import UnavailableError
from lib.settings import settings
from lib.video.analysis import analysis_of
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.cache import ResultCache
from lib.video.current import all_current
from lib.video.hashes import HashBook
from lib.video.once import analyse_once
from lib.video.options import VideoOptions

from .audio.conftest import tone, write_video
from .audio.engines.conftest import KEY, Lemonfox

OPTIONS = VideoOptions(audio=AudioOptions(engines=("lemonfox", "embedded"), lemonfox_attempts=1))
PYTHON = Path(sys.executable)


@pytest.fixture
def lemonfox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lemonfox]:
    monkeypatch.delenv("LEMONFOX_API_KEY", raising=False)
    server = Lemonfox()
    server.says({"start": 0.0, "end": 0.5, "speaker": "A"})
    yield server
    server.close()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "film.mkv"
    write_video(path, tone(1.0))
    return path


def analyse(video: Path, secrets: Secrets) -> str:
    cache, hashes = ResultCache(video.parent / "cache", 1 << 30), HashBook(settings().cache / "hashes.db")
    analysis = analysis_of("audio", secrets)
    return analyse_once(analysis, "audio", video, OPTIONS.audio, cache, hashes, None).summary.engine


def test_results_of_an_engine_that_a_secret_gives_are_current_for_whoever_has_the_secret(
    video: Path, lemonfox: Lemonfox
) -> None:
    secrets = Secrets(lemonfox_api_key=KEY, lemonfox_url=lemonfox.url)
    assert not all_current("audio", [video], OPTIONS, PYTHON, secrets)
    assert analyse(video, secrets) == "lemonfox"
    assert all_current("audio", [video], OPTIONS, PYTHON, secrets)
    assert not all_current("audio", [video], OPTIONS, PYTHON, Secrets())
    assert len(lemonfox.requests) == 1


def test_the_analysis_reads_the_environment_where_it_is_given_no_secrets(
    video: Path, lemonfox: Lemonfox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEMONFOX_API_KEY", KEY)
    assert analysis_of("audio").choose(OPTIONS.audio).engine == "lemonfox"
    with pytest.raises(UnavailableError, match="lemonfox: no key"):
        analysis_of("audio", Secrets()).choose(AudioOptions(engines=("lemonfox",)))


@pytest.mark.parametrize("phase", ["scenes", "tracking"])
def test_an_analysis_without_services_takes_no_secrets(phase: str) -> None:
    assert analysis_of(phase, Secrets(hf_token=KEY)) is analysis_of(phase)
