"""Who is let in: tried with requests as they go over the wire, which no well-behaved client would send."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from lib.console.security import BODY_LIMIT, HEADERS, cookie_name, cookie_value
from lib.runs.plan import Workflow

Serve = Callable[..., AbstractContextManager[str]]
TOKEN = "correct-horse-battery-staple"


def raw(url: httpx.URL | str, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; return the status of the answer and all of it."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 0), timeout=20) as connection:
        connection.sendall(request.replace(b"PORT", str(address.port).encode()))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    assert found, answer
    return int(found[1]), answer


def get(path: bytes = b"/api/v1/workflows", *headers: bytes, host: bytes = b"127.0.0.1:PORT") -> bytes:
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: " + host, *headers, b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def post(*headers: bytes, path: bytes = b"/api/v1/runs/latest/cancel", body: bytes = b"") -> bytes:
    length = b"Content-Length: " + str(len(body)).encode()
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: 127.0.0.1:PORT", *headers, length, b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.mark.parametrize("host", [b"127.0.0.1:PORT", b"localhost:PORT", b"LocalHost:PORT", b"[::1]:PORT"])
def test_the_names_of_this_machine_are_answered(lonely: httpx.Client, host: bytes) -> None:
    assert raw(lonely.base_url, get(host=host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example", b"evil.example:PORT", b"127.0.0.1", b"127.0.0.1:1", b"127.0.0.1.evil.example:PORT",
        b"localhost.:PORT", b"[::1]", b"[::1:PORT", b"::1:PORT", b"127.0.0.1:PORT@evil.example", b"0.0.0.0:PORT",
        b"127.0.0.1:PORT, evil.example", b"2130706433:PORT", b"",
    ],
)  # fmt: skip
def test_every_other_name_is_refused(lonely: httpx.Client, host: bytes) -> None:
    status, answer = raw(lonely.base_url, get(host=host))
    assert status in {400, 421}
    assert b"workflows" not in answer
    assert b"evil" not in answer, "nothing of it is repeated"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/v1/workflows HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/workflows HTTP/1.0\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/workflows HTTP/1.0\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/api/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
        b"GET http://127.0.0.1:PORT/api/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
        b"GET api/v1/workflows HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_request_that_does_not_name_this_host_once_is_refused(lonely: httpx.Client, request_: bytes) -> None:
    assert raw(lonely.base_url, request_)[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        b"/static/../api/v1/workflows", b"/static/..%2f..%2fapp.py", b"/static/%2e%2e/%2e%2e/app.py",
        b"/static//etc/passwd", b"//evil.example/api/v1/workflows", b"/api/v1/runs/..%2f..%2fhealth", b"/%00",
        b"/api/v1/workflows%00", b"/static/%00", b"/api/v1/workflows/", b"/%ff%fe", b"/%", b"/%zz", b"/%c0%ae%c0%ae/",
        b"/api/v1/runs/%ff", b"/api/v1/history/%ff", b"/api/v1/runs/%0d%0aSet-Cookie:%20a=b", b"/\\..\\..\\app.py",
    ],
)  # fmt: skip
def test_tricks_with_paths_find_nothing(lonely: httpx.Client, path: bytes) -> None:
    status, answer = raw(lonely.base_url, get(path))
    assert status in {404, 503}
    assert b"et-cookie" not in answer.lower().partition(b"\r\n\r\n")[0]
    assert b"create_app" not in answer
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        get(b"/\xff\xfe"),
        get("/café".encode()),
        get(b"/", b"X : a"),
        get(b"/", b"X: a\x00b"),
        post(b"Transfer-Encoding: chunked", body=b"zz\r\n"),
        post(b"Content-Length: 5", body=b"abc"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(lonely: httpx.Client, request_: bytes) -> None:
    assert raw(lonely.base_url, request_)[0] == 400


@pytest.mark.parametrize(
    "request_",
    [
        get(b"/", b"X-Large: " + b"a" * 70_000),
        get(b"/" + b"a" * 70_000),
        get(b"/?" + b"a" * 70_000),
        get(b"/", *(b"X-%d: a" % n for n in range(14_000))),
        get(b"/", b"X-Large: " + b"a" * 4_000_000),
    ],
    ids=["header", "path", "query", "many headers", "endless header"],
)
def test_headers_that_are_too_long_are_refused(lonely: httpx.Client, request_: bytes) -> None:
    try:
        status, answer = raw(lonely.base_url, request_)
    except OSError:
        return  # the connection was closed before all of it was sent
    assert status in {400, 431}
    assert b"nothing at this address" not in answer


def test_a_query_that_is_not_text_is_a_problem_in_words(lonely: httpx.Client) -> None:
    status, answer = raw(lonely.base_url, get(b"/api/v1/runs?state=%ff&limit=%ff"))
    assert status == 422
    assert b"application/problem+json" in answer


FOREIGN = [
    [b"Origin: https://evil.example"],
    [b"Origin: null"],
    [b"Origin: "],
    [b"Origin: http://127.0.0.1:1"],
    [b"Origin: http://localhost:PORT"],
    [b"Origin: http://127.0.0.1:PORT.evil.example"],
    [b"Sec-Fetch-Site: cross-site"],
    [b"Sec-Fetch-Site: same-site"],
    [b"Sec-Fetch-Site: something-new"],
    [b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document"],
    [b"Sec-Fetch-Site: cross-site", b"Origin: http://127.0.0.1:PORT"],
    [b"Sec-Fetch-Site: same-origin", b"Origin: https://evil.example"],
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"post"])
def test_a_page_of_another_site_changes_nothing(lonely: httpx.Client, headers: list[bytes], method: bytes) -> None:
    status, answer = raw(lonely.base_url, post(*headers).replace(b"POST", method, 1))
    assert status == 403
    assert b"A page of another site" in answer


@pytest.mark.parametrize("headers", [[], [b"Origin: http://127.0.0.1:PORT", b"Sec-Fetch-Site: same-origin"]])
def test_the_consoles_own_pages_and_programs_may_change_things(lonely: httpx.Client, headers: list[bytes]) -> None:
    assert raw(lonely.base_url, post(*headers))[0] == 503, "only Prefect is away"


@pytest.mark.parametrize("site", [b"cross-site", b"same-site"])
def test_a_link_from_elsewhere_leads_here_but_nothing_is_embedded_or_fetched(lonely: httpx.Client, site: bytes) -> None:
    def asked(mode: bytes, destination: bytes) -> int:
        path = b"/api/v1/workflows"
        headers = b"Sec-Fetch-Site: " + site, b"Sec-Fetch-Mode: " + mode, b"Sec-Fetch-Dest: " + destination
        return raw(lonely.base_url, get(path, *headers))[0]

    assert asked(b"navigate", b"document") == 200
    assert asked(b"navigate", b"iframe") == 403
    assert asked(b"no-cors", b"script") == 403
    assert asked(b"cors", b"empty") == 403


@pytest.mark.parametrize("path", ["/health", "/api/v1/workflows", "/nothing", "/api/v1/openapi.json"])
def test_every_answer_carries_the_headers_of_safety(lonely: httpx.Client, path: str) -> None:
    for answer in (lonely.get(path), lonely.delete(path), lonely.get(path, headers={"host": "evil.example"})):
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert "default-src 'none'" in HEADERS["content-security-policy"]
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_a_body_that_is_too_long_is_refused_before_it_is_read(lonely: httpx.Client) -> None:
    answer = lonely.post("/api/v1/runs", content=b"[" * (BODY_LIMIT + 1), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    pieces = (b"[" * 65536 for _ in range(8))
    assert lonely.post("/api/v1/runs", content=pieces).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(lonely: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.console.security.BODY_SECONDS", 0.2)
    address = lonely.base_url
    with socket.create_connection((address.host, address.port or 0), timeout=20) as connection:
        host = f"{address.host}:{address.port}".encode()
        connection.sendall(b"POST /api/v1/runs HTTP/1.1\r\nHost: " + host + b"\r\nContent-Length: 10\r\n\r\n{")
        started = time.monotonic()
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"workflow": ' * 10_000, b"\xff\xfe", b"{", b'{"a": 1e999999}', b"nul"]
)
def test_a_body_that_is_no_json_is_a_problem(lonely: httpx.Client, body: bytes) -> None:
    answer = lonely.post("/api/v1/runs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_of_another_page_is_no_json(lonely: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"):
        answer = lonely.post("/api/v1/runs", content=b'{"workflow": "toy"}', headers={"content-type": kind})
        assert answer.status_code == 422


@pytest.fixture(scope="module")
def locked(serve: Serve, away: None, toy: dict[str, Workflow]) -> Iterator[httpx.Client]:
    """A console that asks for a token."""
    with serve(toy, console_token=TOKEN) as url, httpx.Client(base_url=url) as client:
        yield client


def test_without_the_token_nothing_is_told_but_that_the_console_is_there(locked: httpx.Client) -> None:
    for path in ("/", "/runs", "/api/v1/workflows", "/api/v1/openapi.json", "/api/v1/events?topics=runs", "/metrics"):
        answer = locked.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["title"] == "Unauthorized"
    assert locked.post("/api/v1/runs/latest/cancel").status_code == 401
    assert locked.get("/health").status_code == 503, "only Prefect is away"


@pytest.mark.parametrize("given", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), cookie_value(TOKEN)])
@pytest.mark.parametrize("scheme", ["Bearer", "Basic", ""])
def test_a_wrong_token_is_refused(locked: httpx.Client, scheme: str, given: str) -> None:
    answer = locked.get("/api/v1/workflows", headers={"authorization": f"{scheme} {given}".strip()})
    assert answer.status_code == 401
    assert TOKEN not in answer.text


def test_with_the_token_everything_is_told(locked: httpx.Client) -> None:
    assert locked.get("/api/v1/workflows", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert locked.get("/api/v1/workflows", headers={"authorization": f"bearer   {TOKEN}"}).status_code == 200


def test_a_header_that_is_not_text_is_a_wrong_token(locked: httpx.Client) -> None:
    for header in (b"Authorization: Bearer \xff\xfe", b"Cookie: regie_console_PORT=\xff", b"Cookie: =;;=\x01"):
        assert raw(locked.base_url, get(b"/api/v1/workflows", header))[0] in {400, 401}


def test_the_cookie_of_the_browser_is_not_the_token(locked: httpx.Client) -> None:
    name = cookie_name(locked.base_url.port or 0)
    assert TOKEN not in cookie_value(TOKEN)
    for value, status in ((cookie_value(TOKEN), 200), (TOKEN, 401), (cookie_value("other"), 401)):
        answer = locked.get("/api/v1/workflows", headers={"cookie": f"other=1; {name}={value}"})
        assert answer.status_code == status


def test_a_browser_is_asked_for_the_token_once(locked: httpx.Client) -> None:
    with httpx.Client(base_url=locked.base_url, headers={"accept": "text/html"}) as browser:
        assert browser.get("/runs").headers["location"] == "/login"
        page = browser.get("/login")
        assert page.status_code == 200
        assert 'type="password"' in page.text
        for style in re.findall(r'href="(/static/[^"]+)"', page.text):
            assert browser.get(style).status_code == 200
        wrong = browser.post("/login", data={"token": "<b>wrong</b>"})
        assert wrong.status_code == 403
        assert "This is not the token" in wrong.text
        assert "<b>" not in wrong.text
        assert "set-cookie" not in wrong.headers
        right = browser.post("/login", data={"token": f" {TOKEN} "})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(right.headers["set-cookie"].split("; "))
        assert TOKEN not in right.headers["set-cookie"]
        assert browser.get("/api/v1/workflows").status_code == 200
        assert (
            browser.post("/login", data={"token": TOKEN}, headers={"origin": "https://evil.example"}).status_code == 403
        )


def test_the_page_that_asks_for_the_token_tells_nothing_of_the_machine(locked: httpx.Client) -> None:
    page = locked.get("/login").text
    assert "PREFECT" not in page.upper()
    assert "toy" not in page


def test_a_form_with_very_many_fields_is_refused(locked: httpx.Client, lonely: httpx.Client) -> None:
    form = {f"field{number}": "x" for number in range(300)}
    for client, path in ((locked, "/login"), (lonely, "/runs/latest/again")):
        assert client.post(path, data=form).status_code == 413


def test_where_no_token_is_asked_for_nobody_is_asked(lonely: httpx.Client) -> None:
    assert lonely.get("/login").headers["location"] == "/"
    assert lonely.post("/login", data={"token": "anything"}).headers["location"] == "/"


def test_the_settings_that_are_shown_hold_no_token(locked: httpx.Client) -> None:
    answer = locked.get("/api/v1/settings", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert TOKEN not in answer.text
    assert {each["name"]: each["value"] for each in answer.json()["items"]}["console_token"] == "(set)"


def test_a_name_that_a_setting_adds_is_answered(serve: Serve, away: None, toy: dict[str, Workflow]) -> None:
    with serve(toy, console_names=["Studio.example", "studio.example:8443"]) as url:
        for host in ("studio.example", "studio.example:8443", "127.0.0.1:PORT"):
            assert raw(url, get(host=host.encode()))[0] == 200
        assert raw(url, get(host=b"studio.example:8321"))[0] == 421
