import os
from pathlib import Path

import pytest
from regie_toy_site import Answer, Request

from lib.web.cache import Cache
from lib.web.outcomes import Unavailable

from .conftest import Open

JOB = "http://jobs.example/job"


def versioned(request: Request) -> Answer:
    """Answer as a site does whose page has a version."""
    headers = {"ETag": '"1"', "Cache-Control": "max-age=0"}
    if request.headers.get("if-none-match") == '"1"':
        return Answer(status=304, headers=headers)
    return Answer("é".encode("cp1252") * 50, headers=headers, kind="text/html; charset=cp1252")


def test_a_page_that_did_not_change_is_not_sent_again(bench: Open, tmp_path: Path) -> None:
    ready = bench({"/job": versioned})
    first = ready.client(cache=tmp_path).get(JOB)
    again = ready.client(cache=tmp_path).get(JOB + "#part")
    assert (first.unchanged, again.unchanged) == (False, True)
    assert (again.text, again.body, again.encoding) == (first.text, first.body, first.encoding)
    assert (again.status, again.content_type, again.headers["etag"]) == (200, "text/html", '"1"')


def test_a_page_that_changed_takes_the_place_of_the_other(bench: Open, tmp_path: Path) -> None:
    turns = [Answer("old", headers={"Last-Modified": "x"}), Answer("new", headers={"Last-Modified": "y"})]
    ready = bench({"/job": [*turns, Answer(status=304)]})
    client = ready.client(cache=tmp_path)
    assert [client.get(JOB).text for _ in range(3)] == ["old", "new", "new"]
    asked = [request.headers.get("if-modified-since") for request in ready.site.requests if request.path == "/job"]
    assert asked == [None, "x", "y"]


@pytest.mark.parametrize("headers", [{}, {"ETag": '"1"', "Cache-Control": "private, No-Store"}])
def test_what_is_not_to_be_kept_is_not(bench: Open, tmp_path: Path, headers: dict[str, str]) -> None:
    ready = bench({"/job": Answer("x", headers=headers)})
    ready.client(cache=tmp_path).get(JOB)
    assert list(tmp_path.iterdir()) == []


def test_a_page_at_the_end_of_a_redirect_is_kept_by_its_own_address(bench: Open, tmp_path: Path) -> None:
    ready = bench({"/job": versioned, "/click": Answer(status=302, headers={"Location": "/job", "ETag": '"9"'})})
    client = ready.client(cache=tmp_path)
    client.get(JOB)
    page = client.get("http://jobs.example/click")
    assert page.unchanged
    assert page.url == JOB
    assert page.redirects == ("http://jobs.example/click",)


@pytest.mark.parametrize("version", ["é", "a\x7fb", "\x80"])
def test_a_version_that_cannot_be_said_is_not(bench: Open, tmp_path: Path, version: str) -> None:
    ready = bench({"/job": Answer("x", headers={"ETag": version})})
    client = ready.client(cache=tmp_path)
    assert [client.get(JOB).text for _ in range(2)] == ["x", "x"]


def test_without_a_page_that_was_kept_nothing_is_unchanged(bench: Open, tmp_path: Path) -> None:
    ready = bench({"/job": Answer(status=304)})
    with pytest.raises(Unavailable):
        ready.client(cache=tmp_path).get(JOB)


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b'{"headers": [], "size": 1}\n', b'{"headers": {}, "size": 9}\nxx', b"\0"]
)
def test_what_is_damaged_is_fetched_again(bench: Open, tmp_path: Path, damage: bytes) -> None:
    ready = bench({"/job": versioned})
    first = ready.client(cache=tmp_path).get(JOB)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    page = ready.client(cache=tmp_path).get(JOB)
    assert (page.text, page.unchanged) == (first.text, False)


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(5):
        cache.keep(f"http://a/{number}", {"etag": "1"}, os.urandom(1000))
        file = cache._path(f"http://a/{number}")
        os.utime(file, (1000 + number, 1000 + number))
    cache.find("http://a/0")
    left = Cache(tmp_path, most=2500)
    assert [number for number in range(5) if left.find(f"http://a/{number}")] == [0, 4]
