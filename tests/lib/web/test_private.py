import pytest
from regie_toy_site import Answer, site

from lib.web.client import WebClient
from lib.web.options import WebOptions
from lib.web.outcomes import Refused, Unavailable

from .conftest import PUBLIC, Open


@pytest.mark.parametrize(
    "addresses",
    ["127.0.0.1", "10.1.2.3", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254", f"{PUBLIC} 127.0.0.1"],
)
def test_a_name_that_leads_to_a_private_address_is_refused(bench: Open, addresses: str) -> None:
    ready = bench({"/": Answer("secret")})
    ready.web.names["jobs.example"] = addresses
    found = ready.outcome("http://jobs.example/", attempts=3)
    assert isinstance(found, Refused)
    assert found.by == "us"
    assert "private address" in found.reason
    assert ready.web.connected == []


def test_what_a_name_says_later_does_not_count(bench: Open) -> None:
    answers = iter([PUBLIC, "127.0.0.1", "127.0.0.1"])
    ready = bench({"/": Answer("here"), "/robots.txt": Answer("")})
    ready.web.names["jobs.example"] = lambda: next(answers)
    client = ready.client()
    assert client.get("http://jobs.example/").text == "here"
    assert set(ready.web.connected) == {(PUBLIC, 80)}


def test_a_name_that_turns_private_is_refused_when_it_is_connected_to_anew(bench: Open) -> None:
    answers = iter([PUBLIC, "127.0.0.1"])
    ready = bench({"/": Answer("here", close=True), "/robots.txt": Answer("", headers={"Connection": "close"})})
    ready.web.names["jobs.example"] = lambda: next(answers)
    assert isinstance(ready.outcome("http://jobs.example/"), Refused)
    assert ready.web.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_this_machine_is_refused_however_it_is_spelt(host: str) -> None:
    with (
        site({"/": Answer("secret")}) as server,
        WebClient(WebOptions(attempts=1)) as client,
        pytest.raises((Refused, Unavailable)) as raised,
    ):
        client.get(server.url("/", host))
    assert server.requests == []
    assert isinstance(raised.value, Refused) or "no host" in raised.value.reason


def test_private_addresses_can_be_allowed() -> None:
    with site({"/": Answer("ours")}) as server, WebClient(WebOptions(allow_private=True, delay=0)) as client:
        assert client.get(server.url("/")).text == "ours"
        assert client.get(server.url("/", "localhost")).text == "ours"


@pytest.fixture
def closed_port() -> int:
    with site() as server:
        pass
    return server.port


def test_a_port_where_nobody_listens_is_an_outcome(closed_port: int) -> None:
    with (
        WebClient(WebOptions(allow_private=True, attempts=1)) as client,
        pytest.raises(Unavailable, match="cannot be connected to") as raised,
    ):
        client.get(f"http://127.0.0.1:{closed_port}/")
    assert raised.value.passing


def test_a_place_of_ones_own_stands_for_a_host(bench: Open) -> None:
    ready = bench({"/job": Answer("here")})
    ready.web.names["jobs.example"] = ""
    client = ready.client(hosts={"jobs.example": f"127.0.0.1:{ready.site.port}"})
    page = client.get("https://jobs.example/job")
    assert (page.text, page.url) == ("here", "https://jobs.example/job")
    assert ready.site.requests[-1].headers["host"] == "jobs.example"
    with pytest.raises(Refused):
        client.get("http://127.0.0.1:8080/")
