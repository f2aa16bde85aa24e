import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from regie_toy_site import Answer, Route, site

from lib.web.client import WebClient
from lib.web.options import WebOptions
from lib.web.outcomes import Stopped

SOON = 2.0


def dripping() -> Answer:
    return Answer(iter(lambda: b"x", None), pause=0.02)


CASES: dict[str, Callable[[], dict[str, Route]]] = {
    "waits for an answer": lambda: {"/job": Answer(hold=threading.Event())},
    "reads a page": lambda: {"/job": dripping()},
    "waits for robots.txt": lambda: {"/robots.txt": Answer(hold=threading.Event())},
    "waits for another attempt": lambda: {"/job": Answer(status=503, headers={"Retry-After": "50"})},
    "waits for its turn": lambda: {
        "/robots.txt": Answer("User-agent: *\nCrawl-delay: 30"),
        "/job": Answer(hold=threading.Event()),
    },
}


@pytest.fixture(params=CASES)
def routes(request: pytest.FixtureRequest) -> Iterator[dict[str, Route]]:
    return CASES[request.param]()


@pytest.mark.parametrize("way", ["stop", "close"])
def test_a_fetch_ends_soon(routes: dict[str, Route], way: str) -> None:
    wanted = threading.Event()
    with site({"/first": Answer("x"), **routes}) as server, ThreadPoolExecutor(2) as pool:
        client = WebClient(WebOptions(allow_private=True, delay=0), stop=wanted.is_set)
        pages = [pool.submit(client.get, server.url(path)) for path in ("/job", "/job")]
        while not server.requests:
            time.sleep(0.01)
        begun = time.monotonic()
        wanted.set() if way == "stop" else client.close()
        for page in pages:
            with pytest.raises(Stopped):
                page.result(10)
        assert time.monotonic() - begun < SOON
        client.close()


def test_a_name_that_takes_long_to_look_up_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    release, looked = threading.Event(), threading.Event()

    def slow(*_arguments: object, **_options: object) -> list[object]:
        looked.set()
        release.wait(10)
        return []

    monkeypatch.setattr("socket.getaddrinfo", slow)
    client = WebClient(stop=looked.is_set)
    begun = time.monotonic()
    with pytest.raises(Stopped):
        client.get("http://jobs.example/")
    assert time.monotonic() - begun < SOON
    release.set()
    client.close()


def test_a_closed_client_fetches_nothing() -> None:
    with site() as server:
        client = WebClient(WebOptions(allow_private=True))
        client.close()
        with pytest.raises(Stopped):
            client.get(server.url())
        assert server.requests == []
