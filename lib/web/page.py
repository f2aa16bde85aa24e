"""A page as it was fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Page:
    """A page that was had, empty or not."""

    asked: str
    """The address that was asked for."""
    url: str
    """Where it was found, after redirects."""
    status: int
    content_type: str
    """In lower case and without parameters; empty when the site does not say."""
    body: bytes = field(repr=False)
    """As it was before it was packed for the way."""
    text: str = field(repr=False)
    """The body, read in the encoding that it has; empty for what is no text."""
    encoding: str
    headers: Mapping[str, str] = field(repr=False)
    """By names in lower case; only those of HEADERS."""
    fetched: datetime
    redirects: tuple[str, ...] = ()
    """Addresses that led on, the one that was asked for first."""
    unchanged: bool = False
    """Whether the site said that it is the page that was kept from before."""


HEADERS = (
    *("content-language", "content-location", "content-type", "date", "etag", "expires", "last-modified", "link"),
    "x-robots-tag",
)
"""What is kept of the headers of an answer."""
