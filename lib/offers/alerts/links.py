"""Reads the links of alerts, which are hostile: a look-alike is no link of a site."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

LONGEST = 4000
"""Characters of a link: trackers' have up to 2,500."""
_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,9}")
_TELLTALE = re.compile(
    r"utm_.*|trk.*|mc_.*|.*tracking.?id|ref_?id|lipi|mid(token|sig)|eid|otptoken|e?mail|[fg]clid|xtor|.*(user|uid"
    r"|recipient|subscriber|contact).*|src|campaign.*|alertid|savedsearchid",
    re.IGNORECASE,
)
"""Names of what says in a query who clicked, or where."""


@dataclass(frozen=True)
class Link:
    """A link that a browser would follow to the host that it shows."""

    host: str
    """In lower case."""
    path: str
    query: dict[str, str]
    """The first value of each name."""

    @classmethod
    def read(cls, link: str) -> Self | None:
        """Return the parts of a link; None for one that is none of the web's, or that hides where it leads."""
        if len(link) > LONGEST or not link.isprintable() or set(link) & set(' \\<>"'):
            return None
        try:
            parts = urlsplit(link)
            port = parts.port
            query = dict(reversed(parse_qsl(parts.query, max_num_fields=100)))
        except ValueError:
            return None
        host = (parts.hostname or "").lower()
        standard = port in {None, {"http": 80, "https": 443}.get(parts.scheme)}
        if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not standard or not _HOST.fullmatch(host):
            return None
        return cls(host, parts.path, query)


def leads(link: str) -> str:
    """Return a link of the web, tidied; empty for any other (`javascript:`, `mailto:`, `#`)."""
    link = "".join(link.split())
    return link if Link.read(link) else ""


def anonymous(link: str) -> str:
    """Return a link without what its query says of who clicked; the fragment goes too."""
    parts = urlsplit(link)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query)
        if not _TELLTALE.fullmatch(name) and "@" not in unquote(value) and "@" not in decoded(value)
    ]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))


def decoded(token: str) -> str:
    """Return what a token of a link says in base64 of either alphabet, padded or not; empty when it is none."""
    token = token.rstrip("=")
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=_alphabet(token), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _alphabet(token: str) -> bytes:
    return b"-_" if set(token) & set("-_") else b"+/"
