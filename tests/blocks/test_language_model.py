"""The key for a language model is tried against a server on this machine that behaves as such services do."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from regie_toy_model import KEY, MODEL, Model, Says

from blocks.language_model import LanguageModel, model_secrets
from lib.errors import UnavailableError
from lib.offers.analyse.options import OPENAI_URL, ModelSecrets

VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL")


@pytest.fixture
def server() -> Iterator[Model]:
    with Model() as server:
        yield server


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_a_good_key_and_a_model_that_is_there_are_said(server: Model) -> None:
    block = LanguageModel(api_key=KEY, url=server.url, model=MODEL)
    assert block.check() == f"{server.url} accepts the key and has the model {MODEL}"
    assert [asked.path for asked in server.asked] == ["/v1/models"], "nothing is asked that costs"


def test_without_a_model_s_name_that_is_said(server: Model) -> None:
    assert "no model is named" in LanguageModel(api_key=KEY, url=server.url).check()


def test_a_model_that_is_not_there_is_said(server: Model) -> None:
    with pytest.raises(UnavailableError, match="has no model large-9"):
        LanguageModel(api_key=KEY, url=server.url, model="large-9").check()


def test_a_key_that_is_not_accepted_is_not_repeated(server: Model) -> None:
    with pytest.raises(UnavailableError, match="does not accept the key") as wrong:
        LanguageModel(api_key="sk-canary", url=server.url, model=MODEL).check()
    assert "canary" not in str(wrong.value)


@pytest.mark.parametrize("path", ["", "/v2"])
def test_an_address_where_nothing_of_the_kind_answers_is_said(server: Model, path: str) -> None:
    url = server.url.removesuffix("/v1") + path
    with pytest.raises(UnavailableError, match="answers 404: check the address"):
        LanguageModel(api_key=KEY, url=url, model=MODEL).check()


def test_an_answer_that_lists_no_models_is_said(server: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Says, "encoded", lambda says: b'{"models": []}')
    with pytest.raises(UnavailableError, match="no interface like OpenAI's"):
        LanguageModel(api_key=KEY, url=server.url, model=MODEL).check()


def test_the_environment_says_key_address_and_model() -> None:
    assert LanguageModel.from_environment({}) is None
    assert LanguageModel.from_environment({"OPENAI_MODEL": MODEL}) is None
    block = LanguageModel.from_environment({"OPENAI_API_KEY": KEY})
    assert block is not None
    assert block.secrets() == ModelSecrets(KEY, OPENAI_URL, "")
    values = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://models.example/v1/", "OPENAI_MODEL": MODEL}
    block = LanguageModel.from_environment(values)
    assert block is not None
    assert block.secrets() == ModelSecrets(KEY, "https://models.example/v1", MODEL)


def test_a_run_is_given_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert model_secrets(said.append) is None
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert model_secrets(said.append) == ModelSecrets(KEY)
    assert said == []


def test_an_address_over_which_the_key_could_be_read_counts_as_none_and_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://models.example/v1")
    said: list[str] = []
    assert model_secrets(said.append) is None
    (words,) = said
    assert "readable on the way" in words
    assert KEY not in words
