"""The token for Hugging Face is tried against a server on this machine that answers as Hugging Face does."""

import pytest

from blocks.huggingface import HUB, HuggingFace
from lib.errors import UnavailableError
from lib.video.audio.options import PYANNOTE_MODEL

from .conftest import Service

TOKEN = "hf_canary0123456789"
WHO = "/api/whoami-v2"
MAY = f"/api/models/{PYANNOTE_MODEL}/auth-check"


def check(service: Service) -> str:
    return HuggingFace(token=TOKEN, endpoint=service.url).check()


def test_a_good_token_is_told_whose_it_is(service: Service) -> None:
    service.answers = {WHO: (200, {"name": "marguerite"}), MAY: (200, {})}
    assert check(service) == f"the token of marguerite is accepted and may read {PYANNOTE_MODEL}"
    assert service.asked == [(WHO, TOKEN), (MAY, TOKEN)]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({WHO: (401, {"error": f"Invalid {TOKEN}"})}, "does not accept the token: make a new one"),
        ({WHO: (200, {"name": "m"}), MAY: (403, {"error": TOKEN})}, f"may not read {PYANNOTE_MODEL}: accept its cond"),
        ({WHO: (200, {"name": "m"}), MAY: (401, {})}, "accept its conditions"),
        ({WHO: (200, {"name": "m"})}, "There is no model"),
        ({WHO: (200, {"name": "m"}), MAY: (503, {})}, "answers 503"),
        ({WHO: (200, b"<html>a page</html>")}, "is not Hugging Face: check the endpoint"),
        ({WHO: (200, ["a", "list"])}, "is not Hugging Face: check the endpoint"),
        ({}, "answers 404: is it Hugging Face"),
        ({WHO: (200, b"x" * 2_000_000)}, "far too large"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    service: Service, answers: dict[str, tuple[int, object]], words: str
) -> None:
    service.answers = answers
    with pytest.raises(UnavailableError, match=words) as wrong:
        check(service)
    assert TOKEN not in str(wrong.value)
    assert wrong.value.__cause__ is None


def test_the_token_does_not_follow_a_redirection(service: Service, other: Service) -> None:
    service.elsewhere = other.url.replace("127.0.0.1", "localhost")
    with pytest.raises(UnavailableError, match="answers 302"):
        check(service)
    assert other.asked == []


def test_a_service_that_is_away_is_said_to_be() -> None:
    with pytest.raises(UnavailableError, match=r"127.0.0.1:9 cannot be reached \(ConnectError\)"):
        HuggingFace(token=TOKEN, endpoint="http://127.0.0.1:9").check()


def test_the_environment_has_a_token_of_its_own() -> None:
    block = HuggingFace.from_environment({"HF_TOKEN": TOKEN, "HF_ENDPOINT": "https://hub.example"})
    assert block is not None
    assert (block.token.get_secret_value(), block.endpoint) == (TOKEN, "https://hub.example")
    assert HuggingFace.from_environment({"HF_TOKEN": " "}) is None
    assert HuggingFace(token=TOKEN).endpoint == HUB
