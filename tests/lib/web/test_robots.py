import json
import threading
import time as real_time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from regie_toy_site import Answer

from lib.web.outcomes import Refused, Unavailable
from lib.web.robots import rules_of

from .conftest import Open

CASES = Path(__file__).resolve().parents[4] / "shared/testdata/robots/cases.json"
# An address that is not percent-encoded, which no client sends: RFC 9309 encodes it first, and then it is allowed.
NOT_ENCODED = "http://foo.bar/foo/bar/\u30c4"
JOB = "http://jobs.example/job"


@pytest.mark.skipif(not CASES.exists(), reason=f"{CASES} is not here")
def test_the_cases_of_google_are_decided_as_there() -> None:
    cases = [case for case in json.loads(CASES.read_text()) if case["url"] != NOT_ENCODED or case["allowed"]]
    assert len(cases) >= 60
    wrong = [case for case in cases if rules_of(case["robots"], case["agent"]).allow(case["url"]) != case["allowed"]]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow:", True),
        ("user-AGENT : Regie\nDISALLOW : /job", False),
        ("User-agent: Regie/9\nDisallow: /", False),
        ("User-agent: Regiebot\nDisallow: /", True),
        ("User-agent: Reg\nDisallow: /", True),
        ("User-agent: Regie\nDisallow: /other\n\nUser-agent: *\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Regie\nAllow: /", True),
        ("User-agent: a\nUser-agent: Regie\nUser-agent: b\nDisallow: /", False),
        ("User-agent: Regie\nSitemap: http://x/s.xml\nNonsense: 1\nUser-agent: b\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\nAllow: /job$", True),
        ("User-agent: *\nDisallow: /j*b", False),
        ("\ufeffUser-agent: *\nDisallow: /", False),
        ("User-agent: *\r\nDisallow: /\r\n", False),
        ("User-agent: *\rDisallow: /\r", False),
        ("Disallow: /", True),
        ("<html><title>Not found</title>", True),
    ],
)
def test_rules_are_read(text: str, allowed: bool) -> None:
    assert rules_of(text, "Regie").allow(JOB) is allowed


def test_delays_and_sitemaps_are_read() -> None:
    rules = rules_of(
        "Sitemap: http://x/a\nUser-agent: *\nCrawl-delay: 2.5\nSitemap: http://x/b\nSitemap: http://x/a", "R"
    )
    assert (rules.delay, rules.sitemaps) == (2.5, ("http://x/a", "http://x/b"))


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"user-agent: a{n}\n" for n in range(15_000)) + "allow: /a*b\n" * 25_000,
        "".join(f"user agent a{n}\n" for n in range(15_000)) + "allow /\n" * 25_000,
        "user-agent: *\ndisallow: /" + "*a" * 250_000,
        "user-agent: *\n" + "".join(f"disallow: /*a*{n}*b$\n" for n in range(20_000)),
        "user-agent: *\nallow: /" + "$" * 500_000,
    ],
    ids=["names", "names without colons", "stars", "patterns", "ends"],
)
def test_no_file_takes_long(text: str) -> None:
    begun = real_time.process_time()
    rules_of(text[:524_288], "Regie").allow("http://jobs.example/" + "a" * 8000)
    assert real_time.process_time() - begun < 3


@given(
    st.text() | st.lists(st.sampled_from(["User-agent:", "*", "Disallow:", "/", "\n", "a", "#", "$", " "])).map("".join)
)
def test_any_file_can_be_read(text: str) -> None:
    assert rules_of(text, "Regie").allow(JOB) in {True, False}


def test_it_is_asked_for_once_for_all_pages_of_a_site(bench: Open) -> None:
    ready = bench({"/robots.txt": Answer("User-agent: *\nDisallow: /no"), "/job": Answer("x"), "/no": Answer("x")})
    client = ready.client(robots_age=100)
    client.get(JOB)
    with pytest.raises(Refused) as raised:
        client.get("http://jobs.example/no")
    assert raised.value.by == "robots"
    assert [request.path for request in ready.site.requests] == ["/robots.txt", "/job"]
    ready.time.now += 101
    client.get(JOB)
    assert [request.path for request in ready.site.requests][2:] == ["/robots.txt", "/job"]


def test_each_origin_has_its_own(bench: Open) -> None:
    ready = bench({"/robots.txt": Answer(""), "/job": Answer("x")})
    client = ready.client()
    for origin in ("http://jobs.example", "http://jobs.example:8080", "http://www.jobs.example"):
        client.get(origin + "/job")
    assert [request.headers["host"] for request in ready.site.requests if request.path == "/robots.txt"] == [
        "jobs.example",
        "jobs.example:8080",
        "www.jobs.example",
    ]


def test_threads_wait_for_the_one_that_asks(bench: Open) -> None:
    hold = threading.Event()
    ready = bench({"/robots.txt": Answer("", hold=hold), "/job": Answer("x")})
    client = ready.client(host_requests=8)
    with ThreadPoolExecutor(4) as pool:
        pages = [pool.submit(client.get, JOB) for _ in range(4)]
        hold.set()
        assert [page.result(10).text for page in pages] == ["x"] * 4
    assert [request.path for request in ready.site.requests].count("/robots.txt") == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_where_there_is_none_all_is_allowed(bench: Open, status: int) -> None:
    ready = bench({"/robots.txt": Answer("User-agent: *\nDisallow: /", status), "/job": Answer("x")})
    assert ready.client().get(JOB).text == "x"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_where_it_cannot_be_had_nothing_is_asked(bench: Open, status: int) -> None:
    ready = bench({"/robots.txt": Answer(status=status), "/job": Answer("x")})
    found = ready.outcome(JOB)
    assert isinstance(found, Unavailable)
    assert found.passing
    assert "robots.txt" in found.reason
    assert ready.site.paths == []


def test_a_site_that_comes_back_is_asked_again(bench: Open) -> None:
    ready = bench({"/robots.txt": [Answer(status=503), Answer("")], "/job": Answer("x")})
    assert ready.client(attempts=2).get(JOB).text == "x"


def test_a_slow_one_is_not_waited_for(bench: Open) -> None:
    ready = bench({"/robots.txt": Answer("", hold=threading.Event()), "/job": Answer("x")})
    found = ready.outcome(JOB, robots_seconds=0.2)
    assert isinstance(found, Unavailable)
    assert found.passing
    assert ready.site.paths == []


def test_one_that_is_elsewhere_is_fetched_there(bench: Open) -> None:
    moved = Answer(status=301, headers={"Location": "http://www.jobs.example/rules.txt"})
    ready = bench({"/robots.txt": moved, "/rules.txt": Answer("User-agent: *\nDisallow: /"), "/job": Answer("x")})
    assert isinstance(ready.outcome(JOB), Refused)


@pytest.mark.parametrize("place", ["/robots.txt", "http://10.0.0.1/robots.txt"])
def test_one_that_is_nowhere_is_none(bench: Open, place: str) -> None:
    ready = bench({"/robots.txt": Answer(status=301, headers={"Location": place}), "/job": Answer("x")})
    assert ready.client().get(JOB).text == "x"


def test_of_a_large_one_the_beginning_counts_up_to_the_last_whole_line(bench: Open) -> None:
    text = "User-agent: *\nDisallow: /no\n".ljust(1024 - len("\nDisallow: /"), "#") + "\nDisallow: /job-of-a-kind\n"
    assert text[:1024].endswith("\nDisallow: /")
    ready = bench({"/robots.txt": Answer(text + "#" * 5000), "/job": Answer("x"), "/no": Answer("x")})
    client = ready.client(robots_bytes=1024)
    assert client.get(JOB).text == "x"
    with pytest.raises(Refused):
        client.get("http://jobs.example/no")


def test_the_delay_that_it_asks_for_is_kept_up_to_a_limit(bench: Open) -> None:
    ready = bench({"/robots.txt": Answer("User-agent: *\nCrawl-delay: 50"), "/job": Answer("x")})
    client = ready.client(crawl_delay_most=20)
    client.get(JOB)
    before = ready.time.now
    client.get(JOB)
    client.get(JOB)
    assert ready.time.now - before == pytest.approx(40, abs=0.1)
    assert client.delay(JOB) == 20
    assert client.rules(JOB).delay == 50
