import os
import stat
import traceback
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.settings import Settings, default_environments, read_settings, settings


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder and a home of Régie that are empty."""
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    monkeypatch.chdir(here)
    for name in os.environ:
        if name.startswith("REGIE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REGIE_HOME", str(home))
    return here


def test_everything_has_a_default(tmp_path: Path) -> None:
    config = read_settings()
    assert config.server_port == 4200
    assert config.home == tmp_path / "home"
    assert config.environments == default_environments()
    assert config.prefect_home.parent == config.cache.parent == config.run_folder.parent == config.home
    assert len({config.prefect_home, config.cache, config.run_folder}) == 3


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_home_it_is_in_the_users_folder(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.setenv("HOME", "/somewhere/user")
    if value is None:
        monkeypatch.delenv("REGIE_HOME")
    else:
        monkeypatch.setenv("REGIE_HOME", value)
    assert read_settings().home == Path("/somewhere/user/.regie")


@pytest.mark.parametrize(
    ("given", "meant"), [("~/kept", "/somewhere/user/kept"), ("/kept", "/kept"), ("kept", "HERE/kept")]
)
@pytest.mark.parametrize("name", ["home", "environments"])
def test_folders_mean_the_same_to_processes_that_start_elsewhere(
    monkeypatch: pytest.MonkeyPatch, place: Path, name: str, given: str, meant: str
) -> None:
    monkeypatch.setenv("HOME", "/somewhere/user")
    monkeypatch.setenv(f"REGIE_{name.upper()}", given)
    assert getattr(read_settings(), name) == Path(meant.replace("HERE", str(place)))


def test_the_environment_comes_before_the_file_here_and_that_before_the_file_at_home(
    monkeypatch: pytest.MonkeyPatch, place: Path, tmp_path: Path
) -> None:
    at_home = tmp_path / "home" / "regie.toml"
    at_home.write_text("server_port = 4301\n[video.scenes]\nthreshold = 0.3\n")
    assert read_settings().server_port == 4301
    assert read_settings().video.scenes.threshold == 0.3
    (place / "regie.toml").write_text("server_port = 4302\n")
    assert read_settings().server_port == 4302
    assert read_settings().video.scenes.threshold == 0.3, "the two files are read together"
    monkeypatch.setenv("REGIE_SERVER_PORT", "4303")
    monkeypatch.setenv("REGIE_VIDEO__SCENES__THRESHOLD", "0.7")
    assert read_settings().server_port == 4303
    assert read_settings().video.scenes.threshold == 0.7
    assert Settings(server_port=4304).server_port == 4304


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIE_OF_MONACO", "1")
    monkeypatch.setenv("SERVER_PORT", "nonsense")
    assert read_settings().server_port == 4200


WRONG_VARIABLES = {
    "REGIE_SERVER_PORT=eighty": ["server_port", "eighty"],
    "REGIE_SERVER_PORT=70000": ["server_port", "65535"],
    "REGIE_START_TIMEOUT=0": ["start_timeout", "greater than 0"],
    "REGIE_CACHE_LIMIT_GB=-1": ["cache_limit_gb", "greater than or equal to 0"],
    "REGIE_VIDEO__SCENES__THRESHOLD=2": ["video.scenes.threshold"],
    "REGIE_VIDEO__SCENES__TRESHOLD=0.4": ["video.scenes.treshold"],
    "REGIE_VIDEO={": ["video"],
    "REGIE_VIDEO__AUDIO__ENGINES=embedded": ["video", "a list is written as JSON"],
}


@pytest.mark.parametrize(("variable", "words"), WRONG_VARIABLES.items())
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, words: list[str]) -> None:
    monkeypatch.setenv(*variable.split("="))
    with pytest.raises(InputError) as caught:
        read_settings()
    for word in words:
        assert word in str(caught.value)
    assert "regie.toml" not in str(caught.value)


WRONG_FILES = {
    "server_port = 'eighty'": ["server_port", "eighty"],
    "server_prot = 4300": ["server_prot"],
    "[video.scenes]\ntreshold = 1": ["video.scenes.treshold"],
    "server_port = \n": ["regie.toml cannot be read", "line 1"],
    "video = 3": ["video"],
}


@pytest.mark.parametrize(("content", "words"), WRONG_FILES.items())
def test_what_is_wrong_in_a_file_is_named(place: Path, content: str, words: list[str]) -> None:
    (place / "regie.toml").write_text(content)
    with pytest.raises(InputError) as caught:
        read_settings()
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_not_text_is_said(place: Path) -> None:
    (place / "regie.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_settings()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_said(place: Path) -> None:
    (place / "regie.toml").touch()
    (place / "regie.toml").chmod(stat.S_IWUSR)
    with pytest.raises(InputError, match="cannot be read"):
        read_settings()


def test_all_wrong_settings_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIE_SERVER_PORT", "0")
    monkeypatch.setenv("REGIE_CACHE_LIMIT_GB", "lots")
    with pytest.raises(InputError, match=r"(?s)server_port.*cache_limit_gb"):
        read_settings()


def test_a_process_reads_its_settings_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    first = settings()
    monkeypatch.setenv("REGIE_SERVER_PORT", "4999")
    assert settings() is first
    settings.cache_clear()
    assert settings().server_port == 4999
    settings.cache_clear()


def test_a_token_that_is_too_short_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIE_CONSOLE_TOKEN", "hunter2")
    with pytest.raises(InputError, match=r"console_token: .*at least 16 characters") as caught:
        read_settings()
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("token", ["sixteen letters!", "sixteenlettersé-and-more", "sixteenletters\tand-more"])
def test_a_token_fits_into_a_header(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("REGIE_CONSOLE_TOKEN", token)
    with pytest.raises(InputError, match="without accents or spaces"):
        read_settings()


def test_a_token_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIE_CONSOLE_TOKEN", "correct-horse-battery-staple")
    config = read_settings()
    assert config.console_token is not None
    assert config.console_token.get_secret_value() == "correct-horse-battery-staple"
    assert "staple" not in f"{config!r} {config} {config.model_dump_json()}"
