"""How polite and how careful the client of the web is."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class WebOptions(BaseModel):
    """The client that fetches pages."""

    model_config = ConfigDict(extra="forbid")

    user_agent: str = Field(
        default="Regie/0.1",
        pattern=r"^[A-Za-z_-]+(/[\w.-]+)?( [\x20-\x7e]{0,180})?$",
        description="What the client calls itself. Sites' robots.txt is read for the name before the first slash; an "
        "address of yours after it, in brackets, lets a site's owner write to you.",
    )
    languages: str = Field(
        default="fr, en;q=0.8",
        pattern=r"^[A-Za-z0-9*,;=. -]{1,200}$",
        description="Languages in which pages are asked for, as the header `Accept-Language` has them.",
    )
    allow_private: bool = Field(
        default=False, description="Fetch also from private addresses, such as those of the local network."
    )

    hosts: dict[str, Annotated[str, Field(pattern=r"^[\w.-]+:[0-9]{1,5}$")]] = Field(
        default={},
        description="Places of your own that stand for hosts, over plain HTTP: `{'jobs.example' = '127.0.0.1:8099'}`; "
        "for demonstrations and tests.",
    )

    connect_seconds: float = Field(
        default=10, gt=0, le=120, description="Seconds in which a name must be found, and then a connection made."
    )
    read_seconds: float = Field(default=20, gt=0, le=300, description="Seconds for which a site may be silent.")
    page_seconds: float = Field(
        default=60,
        gt=0,
        le=3600,
        description="Seconds that the transfer of one page may take, redirects included, waits for politeness not.",
    )
    robots_seconds: float = Field(
        default=10, gt=0, le=120, description="Seconds in which a site's robots.txt must have come."
    )

    header_bytes: int = Field(default=65_536, ge=1024, le=98_304, description="Largest headers of an answer.")
    wire_bytes: int = Field(
        default=10_000_000, ge=1024, le=1_000_000_000, description="Bytes of a page at most, as they are sent."
    )
    page_bytes: int = Field(
        default=30_000_000, ge=1024, le=1_000_000_000, description="Bytes of a page at most, once decompressed."
    )
    robots_bytes: int = Field(
        default=524_288, ge=1024, le=10_000_000, description="Bytes of a robots.txt that are read; the rest is not."
    )
    url_length: int = Field(default=8192, ge=64, le=65_536, description="Longest address, in characters.")
    redirects: int = Field(default=10, ge=0, le=50, description="Redirects of one page that are followed at most.")

    host_requests: int = Field(default=2, ge=1, le=64, description="Requests to one host at the same time, at most.")
    delay: float = Field(
        default=0.5, ge=0, le=600, description="Seconds between the starts of two requests to one host, at least."
    )
    delay_most: float = Field(
        default=30, ge=0, le=3600, description="Seconds to which that delay grows, for a host that is slow or busy."
    )
    crawl_delay_most: float = Field(
        default=30, ge=0, le=3600, description="Longest `Crawl-delay` of a robots.txt that is kept to, in seconds."
    )
    robots_age: float = Field(
        default=3600, ge=0, le=86_400, description="Seconds for which a robots.txt is good before it is fetched again."
    )

    attempts: int = Field(
        default=3, ge=1, le=10, description="Times that a page is asked for at most, when what went wrong may pass."
    )
    backoff: float = Field(
        default=1, ge=0, le=60, description="Seconds before the second attempt, about; they double with each."
    )
    retry_after_most: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Longest `Retry-After` that is waited for, in seconds; a host that wants more is left alone.",
    )

    @property
    def robot(self) -> str:
        """The name that robots.txt files call it by: its product token."""
        return self.user_agent.partition(" ")[0].partition("/")[0]
