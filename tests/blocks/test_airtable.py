"""The token for Airtable is tried against a server on this machine that answers as Airtable does."""

import pytest
from pydantic import ValidationError
from regie_toy_airtable import airtable

from blocks.airtable import API, Airtable
from lib.errors import UnavailableError

from .conftest import Service

TOKEN = "patCanary01234567.89abcdef"
WHO = "/v0/meta/whoami"


def test_a_good_token_is_told_whose_it_is() -> None:
    with airtable() as server:
        said = Airtable(token=server.token, endpoint=f"{server.endpoint}/").check()
        assert said.startswith("the token of usrToyOfOffers001 is accepted")
        (request,) = server.requests
        assert (request.path, request.token) == (WHO, server.token)


def test_a_wrong_token_is_said_to_be_and_not_repeated() -> None:
    with airtable() as server, pytest.raises(UnavailableError, match="does not accept the token: make a new") as wrong:
        Airtable(token=TOKEN, endpoint=server.endpoint).check()
    assert "Canary" not in str(wrong.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {"error": "NOT_FOUND"}), "answers 404: is it Airtable"),
        ((429, {}), "too often"),
        ((503, b"<html>"), "answers 503"),
        ((200, b"<html>a page</html>"), "is not Airtable: check the endpoint"),
        ((200, ["a", "list"]), "is not Airtable: check the endpoint"),
        ((200, b"x" * 2_000_000), "far too large"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(service: Service, answer: tuple[int, object], words: str) -> None:
    service.answers = {WHO: answer}
    with pytest.raises(UnavailableError, match=words) as wrong:
        Airtable(token=TOKEN, endpoint=service.url).check()
    assert TOKEN not in str(wrong.value)
    assert wrong.value.__cause__ is None


def test_the_token_does_not_follow_a_redirection(service: Service, other: Service) -> None:
    service.elsewhere = other.url.replace("127.0.0.1", "localhost")
    with pytest.raises(UnavailableError, match="answers 302"):
        Airtable(token=TOKEN, endpoint=service.url).check()
    assert other.asked == []


def test_the_environment_has_a_token_of_its_own() -> None:
    block = Airtable.from_environment({"AIRTABLE_API_KEY": f" {TOKEN}\n"})
    assert block is not None
    assert (block.token.get_secret_value(), block.endpoint) == (TOKEN, API)
    block = Airtable.from_environment(
        {"AIRTABLE_API_KEY": TOKEN, "AIRTABLE_ENDPOINT_URL": "https://proxy.example/air/"}
    )
    assert block is not None
    assert block.endpoint == "https://proxy.example/air"
    assert Airtable.from_environment({"AIRTABLE_API_KEY": " "}) is None
    assert Airtable.from_environment({"AIRTABLE_ENDPOINT_URL": "https://proxy.example"}) is None


def test_an_endpoint_over_which_the_token_would_be_read_is_refused_without_telling_it() -> None:
    with pytest.raises(ValidationError, match="give an https:// address") as wrong:
        Airtable(token=TOKEN, endpoint="http://proxy.example")
    assert TOKEN not in str(wrong.value)
