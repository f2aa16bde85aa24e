"""The account of an IMAP mailbox."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal

from lib.errors import InputError

Security = Literal["ssl", "starttls", "none"]
PORTS = {"ssl": 993, "starttls": 143, "none": 143}


@dataclass(frozen=True)
class ImapAccount:
    """Where an IMAP mailbox is, and who opens it; raises InputError when that cannot be."""

    host: str
    user: str
    password: str = field(repr=False)
    port: int = 0
    """0: the usual one."""
    security: Security = "ssl"
    """`none` sends the password in clear: to this machine only."""

    def __post_init__(self) -> None:
        if not self.host or not self.host.isprintable() or set(self.host) & set(" /@"):
            raise InputError("The host of the mailbox is a name such as imap.example.org, without anything around it.")
        if not self.user or not f"{self.user}{self.password}".isprintable() or not self.password:
            raise InputError("The mailbox needs a user and a password, without line breaks.")
        if not 0 <= self.port < 2**16:
            raise InputError("The port of the mailbox is a number up to 65535.")
        if self.security not in PORTS:
            raise InputError(f"The security of the mailbox is one of {', '.join(PORTS)}.")
        if self.security == "none" and not is_here(self.host):
            raise InputError(f"The password would be readable on the way to {self.host}: use ssl or starttls.")
        if not self.port:
            object.__setattr__(self, "port", PORTS[self.security])


def is_here(host: str) -> bool:
    """Whether a host is this machine, whatever a name server says."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
