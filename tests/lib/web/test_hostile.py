"""Whatever a site sends, it is a page or an outcome, and soon."""

from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from regie_toy_site import Answer, site

from lib.web.client import WebClient
from lib.web.options import WebOptions
from lib.web.outcomes import NoPage

from .conftest import Time, Web

PIECES = st.sampled_from(
    [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 302 Found\r\n",
        "HTTP/1.0 403 No\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 304 Same\r\n",
        "Location: /job\r\n",
        "Location: http://[::1]/\r\n",
        "Location: //é\x7f/\r\n",
        "Location: http://xn--a/\r\n",
        "Set-Cookie: a=é\r\n",
        "Set-Cookie: a=b; Domain=example; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n",
        "Set-Cookie: =;;;=,; Version=x; Port=\r\n",
        "ETag: é\r\n",
        "Content-Type: text/html; charset=punycode\r\n",
        "Content-Type: \xff\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: zstd\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: ٣\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Retry-After: Sat, 31 Feb 9999\r\n",
        "\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "\0",
        "\x1f\x8b\x08\x00",
    ]
)
RAW = st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join)
START = st.sampled_from(["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 302 Found\r\nLocation: "])


@given(START, RAW, RAW)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answer_is_a_page_or_an_outcome(tmp_path: Path, start: str, first: str, second: str) -> None:
    web, time = Web(), Time()
    with site(
        {"/robots.txt": Answer(""), "/job": [Answer(raw=(start + each).encode()) for each in (first, second)]}
    ) as server:
        web.port = server.port
        options = WebOptions(delay=0, attempts=2, page_seconds=5)
        with WebClient(options, network=web, clock=time.clock(), cache=tmp_path) as client:
            for fetch in (client.get, client.resolve):
                with suppress(NoPage):
                    assert fetch("http://jobs.example/job")
