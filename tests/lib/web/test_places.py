import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.web.options import WebOptions
from lib.web.outcomes import Refused
from lib.web.places import place_of

OPTIONS = WebOptions()


@pytest.mark.parametrize(
    ("address", "found", "host", "port"),
    [
        ("HTTP://Jobs.Example:80/a/../b?q=é#part", "http://jobs.example/b?q=%C3%A9#part", "jobs.example", 80),
        (" https://jobs.example/ \n", "https://jobs.example/", "jobs.example", 443),
        ("https://métiers.example/", "https://xn--mtiers-bva.example/", "xn--mtiers-bva.example", 443),
        ("http://jobs.example:8080", "http://jobs.example:8080", "jobs.example", 8080),
        ("http://[2606:4700::1]/", "http://[2606:4700::1]/", "2606:4700::1", 80),
    ],
)
def test_an_address_is_taken_apart(address: str, found: str, host: str, port: int) -> None:
    place = place_of(address, OPTIONS)
    assert (str(place), place.host, place.port) == (found, host, port)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ftp://jobs.example/", "ftp:"),
        ("file:///etc/passwd", "file:"),
        ("javascript:alert(1)", "javascript:"),
        ("data:text/html,x", "data:"),
        ("gopher://jobs.example/", "gopher:"),
        ("//jobs.example/", "only http"),
        ("jobs.example", "only http"),
        ("", "only http"),
        ("http:///path", "no host"),
        ("http://", "no host"),
        ("http://name:secret@jobs.example/", "user name or a password"),
        ("http://name@jobs.example/", "user name or a password"),
        ("http://jobs.example\\@10.0.0.1/", "user name or a password"),
        ("http://jobs.example:22/", "port 22"),
        ("http://jobs.example:0/", "port 0"),
        ("http://jobs.example:25/", "port 25"),
        ("http://jobs.example:99999/", "port 99999"),
        ("http://jobs.example:x/", "not well formed"),
        ("http://[::1/", "not well formed"),
        ("http://jobs.example/a\tb", "not well formed"),
        ("http://jobs.example/a\r\nHost: other", "not well formed"),
        ("http://[", "cannot be"),
        ("http://[fe80::1%25eth0]/", "cannot be"),
        ("http://a%20b/", "cannot be"),
        ("http://１２７.0.0.1/", "not well formed"),
        ("http://jobs.example/" + "a" * 9000, "longer than 8192"),
        ("http://jobs.example/" + "é" * 3000, "longer than 8192"),
    ],
)
def test_what_is_no_address_of_a_page_is_refused(address: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as raised:
        place_of(address, OPTIONS)
    assert raised.value.by == "us"
    assert not raised.value.passing
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("/b", "http://jobs.example:8080/b"),
        ("c?d", "http://jobs.example:8080/a/c?d"),
        ("//other.example/e", "http://other.example/e"),
        ("https://other.example/f#g", "https://other.example/f#g"),
        ("?h", "http://jobs.example:8080/a/b?h"),
    ],
)
def test_addresses_lead_on_from_others(location: str, found: str) -> None:
    base = place_of("http://jobs.example:8080/a/b#old", OPTIONS)
    assert str(place_of(location, OPTIONS, base)) == found


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://jobs.example", "//"]))
def test_any_text_is_a_place_or_refused(text: str, before: str) -> None:
    try:
        place = place_of(before + text, OPTIONS, place_of("http://jobs.example/", OPTIONS))
    except Refused:
        return
    assert place.url.scheme in {"http", "https"}
    assert place.host
    assert place.host.isascii()
    assert place.port in {80, 443} or 1024 <= place.port <= 65535
    assert not place.url.userinfo
