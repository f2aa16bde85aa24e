"""The web as a test sees it: names and addresses of its choice, all of them one local site, and time that it moves."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from regie_toy_site import Route, Site, site

from lib.web.addresses import Address
from lib.web.client import WebClient
from lib.web.clock import Clock
from lib.web.network import Check, Network
from lib.web.options import WebOptions
from lib.web.outcomes import NoPage, Unavailable

PUBLIC = "93.184.216.34"


class Web(Network):
    """Every name is at PUBLIC unless the test says otherwise, and every address is the test's site."""

    def __init__(self) -> None:
        self.port = 0
        self.names: dict[str, str | Callable[[], str]] = {}
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, seconds: float, check: Check) -> tuple[Address, ...]:
        check()
        found = self.names.get(host)
        text = found() if callable(found) else found
        if text is None:
            try:
                text = str(ip_address(host))
            except ValueError:
                text = PUBLIC
        if not text:
            raise Unavailable(f"no host {host} was found", passing=True)
        return tuple(ip_address(each) for each in text.split())

    def connect(self, address: Address, port: int, seconds: float, check: Check) -> socket.socket:
        self.connected.append((str(address), port))
        return super().connect(ip_address("127.0.0.1"), self.port, seconds, check)


@dataclass
class Time:
    """A clock that moves when somebody waits."""

    now: float = 1000.0

    @property
    def passed(self) -> float:
        return self.now - 1000

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def time() -> Time:
    return Time()


@dataclass
class Bench:
    """A site, and clients that take the names of the web for it."""

    web: Web
    time: Time
    stack: ExitStack
    site: Site

    def client(self, cache: Path | None = None, **settings: object) -> WebClient:
        options = WebOptions(**{"delay": 0, "attempts": 1} | settings)  # type: ignore[arg-type]
        client = WebClient(options, network=self.web, clock=self.time.clock(), cache=cache)
        return self.stack.enter_context(client)

    def outcome(self, url: str, **settings: object) -> NoPage:
        """Return why a page is not had."""
        with pytest.raises(NoPage) as raised:
            self.client(**settings).get(url)
        return raised.value


@pytest.fixture
def bench(web: Web, time: Time) -> Iterator[Callable[[dict[str, Route]], Bench]]:
    """Give a function that opens a site."""
    with ExitStack() as stack:

        def opened(routes: dict[str, Route]) -> Bench:
            server = stack.enter_context(site(routes))
            web.port = server.port
            return Bench(web, time, stack, server)

        yield opened


Open = Callable[[dict[str, Route]], Bench]
