"""What every block holds to: secrets are found by Prefect and shown nowhere, and a form says what each field is."""

from collections.abc import Mapping
from typing import Any

import pytest
from prefect.types import SecretDict
from pydantic import SecretStr, ValidationError

from blocks.registry import BLOCKS
from blocks.service import ServiceBlock, private_address

CANARY = "canary-0123456789"
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "airtable": {"token": CANARY},
    "huggingface": {"token": CANARY},
    "lemonfox": {"api_key": CANARY},
    "mailbox": {"host": "imap.studio.example", "user": "jo@studio.example", "password": CANARY},
    "model": {"api_key": CANARY},
    "storage": {"url": "s3://rushes", "secret_key": CANARY, "token": CANARY, "options": {"password": CANARY}},
}
ALL = pytest.mark.parametrize("kind", BLOCKS.values(), ids=list(BLOCKS))


def filled_in(kind: type[ServiceBlock], **values: Any) -> ServiceBlock:
    return kind(**{**NEEDED[kind.key], **values})


@ALL
def test_a_form_says_what_each_field_is(kind: type[ServiceBlock]) -> None:
    assert kind.get_description()
    assert kind.get_block_type_slug() == f"regie-{kind.key}"
    assert all(field.title and field.description for field in kind.fields().values())


@ALL
def test_prefect_finds_every_secret(kind: type[ServiceBlock]) -> None:
    """It obfuscates only what it finds, and a type that it does not look into would be sent to the UI as it is."""
    secret = [name for name, field in kind.fields().items() if "Secret" in str(field.annotation)]
    assert secret
    assert [name for name in secret if not kind.is_secret(name)] == []
    assert {SecretStr, SecretDict, SecretStr | None, SecretDict | None} >= {kind.fields()[n].annotation for n in secret}


@ALL
def test_its_text_holds_no_secret(kind: type[ServiceBlock]) -> None:
    block = filled_in(kind)
    assert CANARY not in f"{block!r} {block} {block.model_dump()} {block.model_dump_json()}"


@ALL
def test_what_is_wrong_is_said_without_the_secret(kind: type[ServiceBlock]) -> None:
    name = next(name for name, field in kind.fields().items() if field.annotation in {SecretStr, SecretStr | None})
    with pytest.raises(ValidationError) as wrong:
        filled_in(kind, **{name: f"{CANARY}\r\nX-Header: évil"})
    assert CANARY not in str(wrong.value)
    assert "line breaks" in str(wrong.value)


@ALL
def test_white_space_around_what_was_pasted_is_left_out(kind: type[ServiceBlock]) -> None:
    for name, field in kind.fields().items():
        if field.annotation in {SecretStr, SecretStr | None}:
            assert getattr(filled_in(kind, **{name: f"  {CANARY}\n"}), name).get_secret_value() == CANARY
        elif not field.is_required() and field.default is None:
            assert getattr(filled_in(kind, **{name: ""}), name) is None


@pytest.mark.parametrize("address", ["http://studio.example", "https://u:p@studio.example", "ftp://x", "studio", "//x"])
def test_a_secret_goes_to_no_address_where_it_could_be_read_on_the_way(address: str) -> None:
    with pytest.raises(ValueError, match="give"):
        private_address(address)


@pytest.mark.parametrize("address", ["https://studio.example/v1/", "http://127.0.0.1:8000", "http://localhost/v1"])
def test_a_private_address_is_taken(address: str) -> None:
    assert private_address(address) == address.rstrip("/")
