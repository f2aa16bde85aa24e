"""Blocks that are filled in on a real server of Prefect's are found there, and their secrets are not."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks.documents import in_use, load
from blocks.huggingface import HuggingFace
from blocks.lemonfox import Lemonfox
from blocks.registry import BLOCKS
from blocks.secrets import audio_secrets
from lib.errors import UnavailableError

CANARY = "canary-0123456789"


@pytest.fixture
def filled_in(registered: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """The id of a block of Lemonfox that is filled in."""
    for name in ("HF_TOKEN", "LEMONFOX_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield Lemonfox(api_key=CANARY, url="https://studio.example/v1").save("regie", overwrite=True)
    Lemonfox.delete("regie")


def test_a_server_knows_every_block_and_what_it_is_for(registered: None) -> None:
    found = httpx.post(f"{PREFECT_API_URL.value()}/block_types/filter", json={"limit": 200}).json()
    known = {each["slug"]: each for each in found}
    for kind in BLOCKS.values():
        assert known[kind.get_block_type_slug()]["description"]


def test_a_block_is_found_by_the_setting_s_name(filled_in: UUID) -> None:
    found = load(Lemonfox)
    assert found is not None
    assert (found.api_key.get_secret_value(), found.url) == (CANARY, "https://studio.example/v1")
    assert load(Lemonfox, "another") is None
    assert load(HuggingFace) is None


def test_whoever_reads_it_sees_no_secret(filled_in: UUID) -> None:
    read = httpx.get(f"{PREFECT_API_URL.value()}/block_documents/{filled_in}")
    assert "studio.example" in read.text
    assert CANARY not in read.text


def test_the_environment_wins_over_a_block(filled_in: UUID) -> None:
    assert in_use(Lemonfox, {}) == (load(Lemonfox), "block regie")
    found = in_use(Lemonfox, {"LEMONFOX_API_KEY": "another"})
    assert found is not None
    assert (found[0].api_key.get_secret_value(), found[1]) == ("another", "environment")
    assert in_use(HuggingFace, {}) is None


def test_a_variable_that_cannot_be_a_secret_is_said_without_it() -> None:
    with pytest.raises(UnavailableError, match="What HF_TOKEN holds is wrong: token") as wrong:
        in_use(HuggingFace, {"HF_TOKEN": f"{CANARY} {CANARY}"})
    assert CANARY not in str(wrong.value)


def test_engines_are_given_the_secrets_of_blocks(filled_in: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    secrets = audio_secrets(said.append)
    assert (secrets.lemonfox_api_key, secrets.lemonfox_url) == (CANARY, "https://studio.example/v1")
    assert (secrets.hf_token, secrets.hf_endpoint) == (None, None)
    monkeypatch.setenv("LEMONFOX_API_KEY", "another")
    secrets = audio_secrets(said.append)
    # The options say where a key of the environment goes.
    assert (secrets.lemonfox_api_key, secrets.lemonfox_url) == ("another", None)
    assert said == []


def test_a_block_that_is_wrong_counts_as_none_and_why_is_said(filled_in: UUID) -> None:
    with get_client(sync_client=True) as client:
        broken = {"api_key": f"{CANARY} é", "url": "http://studio.example"}
        client.update_block_document(filled_in, BlockDocumentUpdate(data=broken))
    said: list[str] = []
    assert audio_secrets(said.append).lemonfox_api_key is None
    assert len(said) == 1
    assert "The block regie-lemonfox/regie is wrong: api_key: it has letters" in said[0]
    assert "url: give an https:// address" in said[0]
    assert CANARY not in said[0]


def test_a_server_that_is_away_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(UnavailableError, match="cannot be read: ConnectError"),
    ):
        load(Lemonfox)


def test_where_no_server_is_set_none_is_started_to_look_for_blocks() -> None:
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert load(Lemonfox) is None
