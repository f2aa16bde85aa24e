"""What is told to containers, and what of the machine they share."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import containers
from lib.containers import require_shared, user, variables, volumes
from lib.errors import InputError, UnavailableError
from lib.settings import Settings, settings

NAMES = st.sampled_from(["rushes", "out", "a b", "é"])
PLACES = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: Path("/", *names))


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that containers share."""
    folder = tmp_path / "rushes"
    folder.mkdir()
    monkeypatch.setattr(containers, "settings", lambda: Settings(profile="docker", docker_volumes=[folder]))
    return folder


def test_a_path_in_a_shared_folder_is_fine_and_so_are_urls(shared: Path) -> None:
    require_shared(str(shared), str(shared / "monday" / "film.mp4"), "s3://studio/rushes", str(settings().home / "x"))


def test_a_path_elsewhere_is_refused_and_says_what_to_do(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "rushes 2").mkdir()
    for place in (tmp_path, tmp_path / "rushes 2" / "film.mp4", shared / ".." / "film.mp4"):
        with pytest.raises(InputError, match=r"is in no folder that containers share.*docker_volumes"):
            require_shared(str(shared), str(place))


def test_a_link_that_leads_out_of_a_shared_folder_is_refused_and_one_that_leads_into_it(
    shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (shared / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in").symlink_to(shared)
    for place in (shared / "out" / "film.mp4", tmp_path / "in" / "film.mp4"):
        with pytest.raises(InputError, match="in no folder"):
            require_shared(str(place))


def test_with_processes_nothing_need_be_shared(tmp_path: Path) -> None:
    require_shared(str(tmp_path))


@given(folders=st.lists(PLACES, max_size=4))
def test_every_folder_is_shared_once_under_its_own_path(folders: list[Path]) -> None:
    config = Settings(home=Path("/home of regie"), docker_volumes=folders)
    told = volumes(config)
    assert len(told) == len(set(told)) == len({config.home, *folders})
    assert all(before == after for before, after in (volume.split(":") for volume in told))


def test_a_container_is_told_what_is_set_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_machine")
    monkeypatch.setenv("OTHER_TOKEN", "never told")
    config = Settings(
        console_token="a-secret-that-nobody-guesses",  # type: ignore[arg-type]
        cache_limit_gb=3,
        workflows=["studio:FLOW"],
        docker_variables=["HF_TOKEN", "LEMONFOX_API_KEY"],
    )
    told = variables(config)
    assert told["HF_TOKEN"] == "hf_of_this_machine"
    assert (told["REGIE_CACHE_LIMIT_GB"], json.loads(told["REGIE_WORKFLOWS"])) == ("3.0", ["studio:FLOW"])
    assert told["REGIE_HOME"] == str(config.home)
    assert not {"LEMONFOX_API_KEY", "REGIE_ENVIRONMENTS", "REGIE_CONSOLE_TOKEN"} & told.keys()
    assert not [value for value in told.values() if "secret" in value or "never" in value]


def test_settings_that_were_handed_on_are_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = Settings(home=tmp_path, docker_volumes=[tmp_path / "a b"], docker_images={"base": "studio/base:3"})
    for name, value in variables(config).items():
        monkeypatch.setenv(name, value)
    again = Settings()
    assert (again.home, again.docker_volumes, again.docker_images) == (
        config.home,
        config.docker_volumes,
        config.docker_images,
    )


def test_containers_run_as_who_starts_them() -> None:
    assert user()["user"] == f"{os.getuid()}:{os.getgid()}"


def test_an_engine_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(UnavailableError, match=r"No Docker engine answers.*DOCKER_HOST.*REGIE_PROFILE=process"):
        containers.running()


@pytest.mark.parametrize(
    ("key", "addresses"),
    [
        ("AIRTABLE_API_KEY", {"AIRTABLE_ENDPOINT_URL"}),
        ("OPENAI_API_KEY", {"OPENAI_BASE_URL", "OPENAI_MODEL"}),
        ("IMAP_PASSWORD", {"IMAP_HOST", "IMAP_PORT", "IMAP_USER", "IMAP_SECURITY"}),
        ("HF_TOKEN", {"HF_ENDPOINT"}),
        ("AWS_ACCESS_KEY_ID", {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"}),
    ],
)
def test_a_key_travels_with_the_address_that_it_is_for(key: str, addresses: set[str]) -> None:
    told = set(Settings.model_fields["docker_variables"].default)
    assert {key} | addresses <= told
