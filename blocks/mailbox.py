"""The block of the mailbox in which alerts of job offers arrive."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

from blocks.service import ServiceBlock
from lib.errors import InputError, UnavailableError
from lib.offers.mail.account import ImapAccount
from lib.settings import settings


class Mailbox(ServiceBlock):
    """An account of an IMAP server."""

    _block_type_name = "Régie Mailbox"
    _block_type_slug = "regie-mailbox"
    _documentation_url = HttpUrl("https://www.rfc-editor.org/rfc/rfc9051")
    _description = "The IMAP account in which alerts of job offers arrive, for runs of offers with the mailbox imap."

    key: ClassVar[str] = "mailbox"
    used_for: ClassVar[str] = "the mailbox `imap` of phase 1 (import) of `offers`"
    variables: ClassVar[tuple[str, ...]] = ("IMAP_HOST", "IMAP_USER", "IMAP_PASSWORD", "IMAP_PORT", "IMAP_SECURITY")

    host: str = Field(title="Host", description="Name of the IMAP server, such as imap.example.org.")
    user: str = Field(title="User", description="Who logs in, most often the e-mail address.")
    password: SecretStr = Field(
        title="Password", description="The user's password; with many services one that is made for programs."
    )
    port: int | None = Field(
        default=None, ge=1, le=65535, title="Port", description="Port of the server; when empty, the usual one."
    )
    security: Literal["ssl", "starttls", "none"] = Field(
        default="ssl",
        title="Security",
        description="How the connection is encrypted: from its beginning, after a greeting, or, on this machine only, "
        "not at all.",
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """Return what the variables say, when they name a host; the other three have usual values."""
        if not environment.get("IMAP_HOST"):
            return None
        names = {name.removeprefix("IMAP_").lower(): name for name in cls.variables}
        return cls.model_validate({field: environment[name] for field, name in names.items() if environment.get(name)})

    @field_validator("*", mode="after")
    @classmethod
    def _fits_into_a_header(cls, value: Any) -> Any:
        # A password is put into no header, and may have accents and spaces.
        if isinstance(value, SecretStr) and not value.get_secret_value().isprintable():
            raise ValueError("it has no line breaks or other control characters")
        return value

    @model_validator(mode="after")
    def _is_an_account(self) -> Self:
        try:
            self.account()
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def account(self) -> ImapAccount:
        """Return the account as `lib` takes it, password and all: not for logs, parameters or files."""
        return ImapAccount(self.host, self.user, self.password.get_secret_value(), self.port or 0, self.security)

    def check(self) -> str:
        """Log in, open the folder of the settings and count what is in it; raises UnavailableError."""
        from lib.offers.mail.imap import ImapMailbox

        options = settings().offers.mail
        try:
            mailbox = ImapMailbox(self.account(), options)
        except InputError as error:
            raise UnavailableError(str(error)) from None
        try:
            return f"{self.host} lets {self.user} in; {options.folder} has {mailbox.try_out():,} messages"
        finally:
            mailbox.close()
