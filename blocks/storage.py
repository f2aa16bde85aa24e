"""The block of storage elsewhere: S3 and what speaks its language, or any other that fsspec knows."""

import os
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

import fsspec
from prefect.types import SecretDict
from pydantic import Field, HttpUrl, SecretStr, field_validator

from blocks.documents import load
from blocks.service import ServiceBlock
from lib.errors import InputError, UnavailableError
from lib.storage import S3, checked, is_url, protocol_of, scrubbed, why

PROBE_BYTES = 16
IMPATIENCE = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 1}}
"""How botocore is to try: a check is to answer within seconds, with the seconds that s3fs itself tries again for."""


class Storage(ServiceBlock):
    """Where videos come from and results go: an S3 bucket, or any storage that fsspec can open."""

    _block_type_name = "Régie Storage"
    _block_type_slug = "regie-storage"
    _documentation_url = HttpUrl("https://s3fs.readthedocs.io/en/latest/#credentials")
    _description = "Credentials for storage that source and out of a run name by a URL, such as s3://rushes/2026."

    key: ClassVar[str] = "storage"
    used_for: ClassVar[str] = "source and out of a run that are URLs, such as `s3://rushes/2026`"
    variables: ClassVar[tuple[str, ...]] = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE")

    url: str = Field(
        title="URL",
        description="Folder that the check tries, such as s3://rushes/regie. The credentials are for all storage of "
        "its kind (s3, gs, …).",
    )
    access_key: str | None = Field(default=None, title="Access key", description="Id of the access key of S3.")
    secret_key: SecretStr | None = Field(default=None, title="Secret key", description="The secret that belongs to it.")
    token: SecretStr | None = Field(
        default=None, title="Session token", description="Token of credentials that are lent for some time."
    )
    endpoint_url: str | None = Field(
        default=None,
        title="Endpoint",
        description="Address of a server that speaks S3 (MinIO, Garage, …); when empty, Amazon's.",
    )
    region: str | None = Field(default=None, title="Region", description="Region of the bucket, such as eu-west-3.")
    options: SecretDict | None = Field(
        default=None,
        title="Other options",
        description="Further storage_options of fsspec, as JSON; for other storage than S3, all of them.",
    )

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        try:
            return checked(value)
        except InputError as error:
            raise ValueError(str(error)) from None

    @field_validator("endpoint_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        # Storage signs its requests, so that no secret travels: http:// is fine within a house.
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
            raise ValueError("give an address without a password, such as https://s3.example:9000")
        return value.rstrip("/")

    @property
    def protocol(self) -> str:
        """The kind of storage: `s3`, `gs`, …."""
        return protocol_of(self.url)

    def storage_options(self) -> dict[str, Any]:
        """Return the credentials as fsspec takes them, in plain text: not for logs, parameters or files."""
        given: dict[str, Any] = {
            "key": self.access_key,
            "secret": self.secret_key.get_secret_value() if self.secret_key else None,
            "token": self.token.get_secret_value() if self.token else None,
            "endpoint_url": self.endpoint_url,
            "client_kwargs": {"region_name": self.region} if self.region else None,
        }
        more = self.options.get_secret_value() if self.options else {}
        return {name: value for name, value in given.items() if value is not None} | more

    def check(self) -> str:
        """Write, list, read and delete an object at the URL; raises UnavailableError that says what cannot be done."""
        name, content = f"{self.url}/.regie-check-{uuid4().hex}", os.urandom(PROBE_BYTES)
        doing = "open"
        try:
            storage, path = fsspec.core.url_to_fs(name, skip_instance_cache=True, **self._impatiently())
            doing = "write to"
            storage.pipe_file(path, content)
            try:
                doing = "list"
                listed = [str(each).rpartition("/")[2] for each in storage.ls(path.rpartition("/")[0], detail=False)]
                doing = "read from"
                read = storage.cat_file(path)
            finally:
                if doing == "read from":
                    doing = "delete from"
                storage.rm_file(path)
        except Exception as error:  # noqa: BLE001  # each storage fails in its own ways
            options = self.storage_options()
            reason = why(error, self.url, options) or f"{type(error).__name__}: {scrubbed(str(error), options)}"
            raise UnavailableError(f"It cannot {doing} {self.url}: {reason}") from None
        if path.rpartition("/")[2] not in listed or read != content:
            raise UnavailableError(f"{self.url} does not give back what is written to it: is it storage at all?")
        return f"{self.url} can be listed, written, read and deleted from"

    def _impatiently(self) -> dict[str, Any]:
        """Return the options with time limits, where the storage is known to take them."""
        given = self.storage_options()
        if self.protocol in S3:
            given["config_kwargs"] = {**IMPATIENCE, **given.get("config_kwargs", {})}
        return given


def storage_options(url: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return fsspec's storage_options for a URL: those of the storage block, where there is one of this kind.

    For S3, credentials or a profile in the environment win, and nothing is returned: they are read where they are used.
    Nothing either for a path and for storage without a block. The values are plain text: not for logs,
    parameters or files. Raises UnavailableError when there is a block and it cannot be used.
    """
    environment = os.environ if environment is None else environment
    protocol = protocol_of(url)
    if not is_url(url) or protocol in {"file", "local", "memory"}:
        return {}
    if protocol in S3 and any(environment.get(name) for name in Storage.variables):
        return {}
    block = load(Storage)
    if block is None or not (block.protocol == protocol or {block.protocol, protocol} <= S3):
        return {}
    return block.storage_options()
