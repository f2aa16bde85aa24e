import pytest
from pydantic import ValidationError

from lib.video.audio.options import AudioOptions, Secrets
from lib.video.provenance import relevant


@pytest.mark.parametrize(
    "settings",
    [
        {"engines": ()},
        {"min_speakers": 3, "max_speakers": 2},
        {"num_speakers": 5, "max_speakers": 4},
        {"num_speakers": 0},
        {"gap_fill": -1},
        {"language": "fr; drop"},
        {"lemonfox_url": "http://example.org/v1"},
        {"lemonfox_url": "https://user:word@example.org"},
        {"lemonfox_url": "ftp://127.0.0.1"},
        {"hf_token": "secret"},
    ],
)
def test_what_makes_no_sense_or_is_unsafe_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AudioOptions(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["https://example.org/v1/", "http://127.0.0.1:8000/v1", "http://localhost:1"])
def test_a_server_is_reached_by_https_or_on_this_machine(url: str) -> None:
    assert AudioOptions(lemonfox_url=url).lemonfox_url == url.rstrip("/")


def test_every_option_is_described() -> None:
    assert all(info.description for info in AudioOptions.model_fields.values())


def test_only_what_changes_the_result_counts_for_its_identity() -> None:
    same = AudioOptions(device="cpu", threads=2, engines=("embedded",), lemonfox_eu=True, pyannote_batch=4)
    assert relevant(same) == relevant(AudioOptions())
    assert relevant(AudioOptions(num_speakers=2)) != relevant(AudioOptions())


def test_secrets_come_from_the_environment_and_are_not_shown() -> None:
    secrets = Secrets.from_environment({"HF_TOKEN": "hf_abc ", "LEMONFOX_API_KEY": ""})
    assert secrets == Secrets(hf_token="hf_abc")
    assert "hf_abc" not in repr(secrets)
    assert secrets.lemonfox_api_key is None
