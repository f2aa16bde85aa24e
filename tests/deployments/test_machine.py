"""What is said when a machine cannot work for a server that is there already, and what is used when it can."""

import fcntl
import os
from pathlib import Path

import pytest

from deployments import environments
from deployments.cli import app
from deployments.machine import machine
from deployments.stack import stack
from lib.errors import InputError
from lib.settings import Settings

AWAY = "http://127.0.0.1:9/api"
"""The port of a service that nobody has."""


def config(home: Path, **given: object) -> Settings:
    return Settings.model_validate({"home": home, "environments": home / "envs", "server_url": AWAY, **given})


def refusal(config: Settings, *keys: str) -> str:
    with pytest.raises(InputError) as error, machine(config, lambda _line: None, keys):
        pass
    return str(error.value)


def test_without_a_server_it_says_how_to_name_one(tmp_path: Path) -> None:
    assert "REGIE_SERVER_URL=" in refusal(config(tmp_path, server_url=None))


def test_an_environment_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(config(tmp_path), "tracking") == "Not installed on this machine: tracking. regie sync tracking"
    assert "There is no environment 'sound'" in refusal(config(tmp_path), "sound")


def test_the_workers_of_a_home_are_at_work_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "machine.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "at work already" in refusal(config(tmp_path), "base")


def test_a_server_that_does_not_answer_is_named_and_none_is_started_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{AWAY} .*server_url"), stack(config(tmp_path), lambda _line: None):
        pass
    assert not list(tmp_path.rglob("*.log"))
    assert not list(tmp_path.rglob("stack.json"))


@pytest.mark.parametrize(
    ("setting", "prefects", "used"),
    [(None, None, None), (None, AWAY, AWAY), ("http://studio/api", AWAY, "http://studio/api")],
)
def test_the_setting_comes_before_prefects_own_variable(
    monkeypatch: pytest.MonkeyPatch, setting: str | None, prefects: str | None, used: str | None
) -> None:
    for name in ("PREFECT_HOME", "PREFECT_PROFILES_PATH", "REGIE_HOME"):
        monkeypatch.setenv(name, os.environ[name])
    monkeypatch.setattr(app, "GIVEN", prefects)
    if setting:
        monkeypatch.setenv("REGIE_SERVER_URL", setting)
    assert app.configured().server_url == used


def test_an_image_holds_the_packages_of_its_environment_itself() -> None:
    assert environments.is_held("base")
    assert not environments.is_held("tracking")
