import gzip
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest
from regie_toy_site import Answer, Request

from lib.web.client import WebClient
from lib.web.options import WebOptions
from lib.web.outcomes import Blocked, Gone, NoPage, NotText, Refused, Unavailable

from .conftest import Open

JOB = "http://jobs.example/job"


def test_a_page_comes_with_all_that_is_known_of_it(bench: Open) -> None:
    headers = {"ETag": '"7"', "Last-Modified": "Sat, 21 Nov 2026 08:00:00 GMT", "Set-Cookie": "a=b", "X-Other": "1"}
    page = bench({"/job": Answer("<title>Boulanger à Évry</title>", headers=headers)}).client().get(JOB + "#apply")
    assert (page.asked, page.url, page.status) == (JOB + "#apply", JOB + "#apply", 200)
    assert (page.content_type, page.encoding) == ("text/html", "utf-8")
    assert page.text == "<title>Boulanger à Évry</title>"
    assert page.body == page.text.encode()
    assert page.redirects == ()
    assert page.headers["etag"] == '"7"'
    assert set(page.headers) == {"content-type", "etag", "last-modified", "date"}
    assert abs(datetime.now(UTC) - page.fetched) < timedelta(minutes=1)
    assert "Boulanger" not in repr(page)


def test_it_says_who_it_is_and_takes_no_proxy_of_the_environment(bench: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    ready = bench({"/job": Answer("x")})
    ready.client(user_agent="Ours/2 (me@firm.example)", languages="de").get(JOB)
    asked = ready.site.requests[-1]
    assert (asked.method, asked.path) == ("GET", "/job")
    assert asked.headers["user-agent"] == "Ours/2 (me@firm.example)"
    assert asked.headers["accept-language"] == "de"
    assert asked.headers["host"] == "jobs.example"
    assert "cookie" not in asked.headers


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_page_is_a_page(bench: Open, status: int) -> None:
    page = bench({"/job": Answer(status=status)}).client().get(JOB)
    assert (page.text, page.status) == ("", status)


@pytest.mark.parametrize(
    ("status", "outcome", "passing"),
    [
        (401, Refused, False),
        (402, Refused, False),
        (403, Refused, False),
        (404, Gone, False),
        (406, Refused, False),
        (408, Unavailable, True),
        (410, Gone, False),
        (418, Refused, False),
        (429, Blocked, False),
        (451, Refused, False),
        (500, Unavailable, True),
        (501, Unavailable, False),
        (502, Unavailable, True),
        (503, Unavailable, True),
        (504, Unavailable, True),
        (522, Unavailable, True),
        (300, Unavailable, False),
        (304, Unavailable, False),
        (999, Blocked, False),
    ],
)
def test_what_a_site_says_is_an_outcome(bench: Open, status: int, outcome: type[NoPage], passing: bool) -> None:
    found = bench({"/job": Answer("no", status)}).outcome(JOB)
    assert type(found) is outcome
    assert (found.passing, found.status) == (passing, status)
    assert str(status) in found.reason
    assert "jobs.example" in found.reason
    assert "/job" not in found.reason


def test_a_challenge_is_not_the_page(bench: Open) -> None:
    ready = bench({"/job": Answer("<title>Just a moment...</title>", 403, {"cf-mitigated": "challenge"})})
    found = ready.outcome(JOB, attempts=3)
    assert isinstance(found, Blocked)
    assert "Cloudflare" in found.reason
    assert ready.site.paths == ["/job"]


@pytest.mark.parametrize("status", [403, 503])
def test_a_challenge_is_known_by_what_is_on_it(bench: Open, status: int) -> None:
    body = gzip.compress(b"<title>Just a moment...</title><script>window._cf_chl_opt = {}</script>")
    ready = bench({"/job": Answer(body, status, {"Content-Encoding": "gzip"})})
    assert isinstance(ready.outcome(JOB, attempts=3), Blocked)
    assert ready.site.paths == ["/job"]


def test_a_challenge_that_says_200_is_not_the_page(bench: Open) -> None:
    body = gzip.compress(b'<html><script src="/.within.website/x/cmd/anubis/static/js/main.mjs"></script>')
    found = bench({"/job": Answer(body, headers={"Content-Encoding": "gzip"})}).outcome(JOB)
    assert isinstance(found, Blocked)
    assert "Anubis" in found.reason


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "video/mp4", "application/gzip", "font/woff2"])
def test_what_is_no_text_is_not_even_read(bench: Open, kind: str) -> None:
    forever = iter(lambda: b"x" * 1000, None)
    assert isinstance(bench({"/job": Answer(forever, kind=kind, pause=0.01)}).outcome(JOB), NotText)


@pytest.mark.parametrize("kind", ["text/html", None, "application/octet-stream"])
@pytest.mark.parametrize("body", [b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 20])
def test_what_is_no_text_though_it_says_so_is_told(bench: Open, kind: str | None, body: bytes) -> None:
    assert isinstance(bench({"/job": Answer(body, kind=kind)}).outcome(JOB), NotText)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xhtml+xml", "application/rss+xml", "application/ld+json", "text/xml", None]
)
def test_text_of_all_kinds_is_read(bench: Open, kind: str | None) -> None:
    assert bench({"/job": Answer("<a>é</a>", kind=kind)}).client().get(JOB).text == "<a>é</a>"


def test_text_of_two_bytes_a_letter_is_text(bench: Open) -> None:
    body = ("<title>Développeur</title>" * 20).encode("utf-16-le")
    page = bench({"/job": Answer(body, kind="text/html; charset=utf-16le")}).client().get(JOB)
    assert page.text.startswith("<title>Développeur</title>")


def test_any_kind_is_had_when_it_is_wanted(bench: Open) -> None:
    page = (
        bench({"/map.gz": Answer(b"\x1f\x8b..\0\0\0\0", kind="application/gzip")})
        .client()
        .get("http://jobs.example/map.gz", any_kind=True)
    )
    assert (page.body, page.text, page.content_type) == (b"\x1f\x8b..\0\0\0\0", "", "application/gzip")


def test_what_may_pass_is_tried_again(bench: Open) -> None:
    ready = bench({"/job": [Answer(status=502), Answer(raw=b""), Answer("here")]})
    assert ready.client(attempts=3, backoff=4).get(JOB).text == "here"
    assert 2 + 4 <= ready.time.passed <= 4 + 8


def test_what_does_not_pass_is_given_up(bench: Open) -> None:
    ready = bench({"/job": Answer(status=502)})
    assert ready.outcome(JOB, attempts=3).passing
    assert len(ready.site.paths) == 3


@pytest.mark.parametrize("status", [403, 404, 501])
def test_what_asking_again_does_not_mend_is_not_asked_again(bench: Open, status: int) -> None:
    ready = bench({"/job": Answer(status=status)})
    ready.outcome(JOB, attempts=3)
    assert ready.site.paths == ["/job"]
    assert ready.time.passed == 0


def test_a_busy_site_is_asked_again_when_it_says(bench: Open) -> None:
    ready = bench({"/job": [Answer(status=429, headers={"Retry-After": "40"}), Answer("here")]})
    assert ready.client(attempts=2).get(JOB).text == "here"
    assert ready.time.passed == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize(("status", "outcome"), [(429, Blocked), (503, Unavailable)])
def test_a_site_that_wants_hours_of_rest_gets_them(bench: Open, status: int, outcome: type[NoPage]) -> None:
    ready = bench({"/job": Answer(status=status, headers={"Retry-After": "7200"}), "/other": Answer("x")})
    client = ready.client(attempts=3)
    for path in ("/job", "/other", "/job"):
        with pytest.raises(outcome) as raised:
            client.get("http://jobs.example" + path)
        assert raised.value.after == pytest.approx(7200, abs=1)
    assert ready.site.paths == ["/job"]
    assert client.get("http://elsewhere.example/other").text == "x"
    ready.time.now += 7200
    assert client.get("http://jobs.example/other").text == "x"


def test_a_connection_that_broke_while_it_was_idle_is_replaced(bench: Open) -> None:
    ready = bench({"/job": Answer("here", close=True)})
    client = ready.client(attempts=2)
    for _ in range(3):
        assert client.get(JOB).text == "here"


def test_connections_are_used_again(bench: Open) -> None:
    ready = bench({"/job": Answer("here"), "/robots.txt": Answer("User-agent: *")})
    client = ready.client()
    for _ in range(5):
        client.get(JOB)
    assert ready.site.connections == 1


def test_many_threads_fetch_at_once(bench: Open) -> None:
    together = threading.Barrier(4, timeout=10)

    def answer(request: Request) -> Answer:
        together.wait()
        return Answer(request.path)

    ready = bench({f"/{n}": answer for n in range(8)})
    client = ready.client(host_requests=4)
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda n: client.get(f"http://jobs.example/{n}"), range(8)))
    assert [page.text for page in pages] == [f"/{n}" for n in range(8)]


def test_a_name_that_is_not_found_may_be_for_want_of_a_network(bench: Open) -> None:
    ready = bench({})
    ready.web.names["jobs.example"] = ""
    found = ready.outcome(JOB, attempts=3)
    assert isinstance(found, Unavailable)
    assert found.passing
    assert "no host jobs.example was found" in found.reason
    assert 1 <= ready.time.passed <= 3


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), True),
        (socket.gaierror(socket.EAI_AGAIN, "x"), True),
        (UnicodeError(), False),
    ],
)
def test_what_the_resolver_says_is_an_outcome(monkeypatch: pytest.MonkeyPatch, error: Exception, passing: bool) -> None:
    def refuse(*_arguments: object, **_options: object) -> NoReturn:
        raise error

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with (
        WebClient(WebOptions(attempts=1)) as client,
        pytest.raises(Unavailable, match=r"no host jobs\.example") as raised,
    ):
        client.get(JOB)
    assert raised.value.passing is passing


def test_the_text_is_read_in_the_encoding_that_it_has(bench: Open) -> None:
    body = '<meta charset="windows-1252">Salaire : 40 000 €, à négocier'.encode("cp1252")
    page = bench({"/job": Answer(body, kind="text/html; charset=utf-8")}).client().get(JOB)
    assert page.text.endswith("Salaire : 40 000 €, à négocier")
    assert page.encoding == "cp1252"


def test_headers_of_any_kind_break_nothing(bench: Open) -> None:
    odd = [
        ("Content-Encoding", ""),
        ("Set-Cookie", "=;=; expires=nonsense; max-age=x; domain=..; path"),
        ("Set-Cookie", "a=b; expires=Thu, 99 Foo 0000 99:99:99 GMT"),
        ("Retry-After", "soon"),
        ("ETag", "é\x7f"),
    ]
    assert bench({"/job": Answer("here", headers=odd)}).client().get(JOB).text == "here"


def test_defaults_are_careful() -> None:
    options = WebOptions()
    assert not options.allow_private
    assert options.delay > 0
    assert options.robot == "Regie"
