"""The trial of `base`; those of the other environments are run in their images (tests/docker)."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.video import trial


def test_the_trial_of_base_says_what_was_found(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert trial.main("base") == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert found["environment"] == "base"
    assert found["engine"] == "ffmpeg"
    assert found["version"]
    assert found["seconds"] > 0


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is here")
def test_an_environment_that_is_not_here_is_said_to_be_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert trial.main("scenes") == 1
    assert "regie sync scenes" in capsys.readouterr().err


def test_an_engine_that_finds_something_else_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(_folder: Path) -> trial.Trial:
        raise InputError("The engine runs and is wrong: three cuts.")

    monkeypatch.setattr(trial, "TRIALS", {"scenes": wrong})
    assert trial.main("scenes") == 1
    assert "three cuts" in capsys.readouterr().err


def test_an_environment_that_there_is_not_is_told_from_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert trial.main("sences") == 2
    assert "base, scenes, audio, tracking" in capsys.readouterr().err
