"""What the blocks of outside services have in common: secrets that are shown nowhere, and a check that tries them."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from pydantic import ConfigDict, SecretStr, field_validator
from pydantic.fields import FieldInfo

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ServiceBlock(Block):
    """An outside service: where it is, and the credentials for it.

    A secret is a field of exactly the type SecretStr, SecretDict, or one of them or None: Prefect finds it in no other.
    """

    # What is wrong with a value is told without the value, which may be a secret.
    model_config = ConfigDict(hide_input_in_errors=True)

    key: ClassVar[str]
    """Its name for `regie blocks`."""
    used_for: ClassVar[str]
    """What it is for, for people."""
    variables: ClassVar[tuple[str, ...]]
    """The environment variables that win over it."""

    @abstractmethod
    def check(self) -> str:
        """Try the service and say what works; takes seconds.

        Raises UnavailableError, which says what does not and what to do, and holds no secret.
        """

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return what environment variables say, which wins over what is filled in; None when they say nothing."""
        return None

    @field_validator("*", mode="before")
    @classmethod
    def _as_pasted(cls, value: Any) -> Any:
        """Take what was pasted with white space around it, and a form's empty field, for what is meant."""
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("*", mode="after")
    @classmethod
    def _fits_into_a_header(cls, value: Any) -> Any:
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            if not text.isascii() or not text.isprintable() or " " in text:
                raise ValueError("it has letters, digits and signs only, no accents, spaces or line breaks")
        return value

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Return the fields by their names."""
        return cls.model_fields

    @classmethod
    def is_secret(cls, name: str) -> bool:
        """Whether a field holds a secret."""
        secret = cls.model_json_schema()["secret_fields"]
        return name in secret or f"{name}.*" in secret


def private_address(value: str) -> str:
    """Return the address of a service without a slash at its end.

    Raises ValueError for one over which a secret would travel in clear, or that has a password in it.
    """
    parts = urlsplit(value)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("give scheme, host, port and path only")
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise ValueError("give an address that begins with https://")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("give an https:// address: the secret would be readable on the way")
    return value.rstrip("/")
