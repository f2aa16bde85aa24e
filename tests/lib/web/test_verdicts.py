from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.web.options import WebOptions
from lib.web.places import place_of
from lib.web.verdicts import rest_asked_for, verdict
from lib.web.wire import Answer

PLACE = place_of("http://jobs.example/", WebOptions())
NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("1.5", 1.5),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120),
        ("Saturday, 21-Nov-26 12:02:00 GMT", 120),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("1e999", None),
        ("Sat, 99 Nov 2026", None),
        ("", None),
    ],
)
def test_the_rest_that_a_host_asks_for_is_read(text: str, seconds: float | None) -> None:
    answer = Answer(PLACE, 503, httpx.Headers({"Retry-After": text}), [])
    assert rest_asked_for(answer, lambda: NOW) == seconds


@given(st.text(st.characters(max_codepoint=255), max_size=80))
def test_any_rest_can_be_read(text: str) -> None:
    found = rest_asked_for(Answer(PLACE, 503, httpx.Headers([(b"retry-after", text.encode("latin-1"))]), []))
    assert found is None or 0 <= found < float("inf")


@given(st.integers(100, 999))
def test_every_status_has_a_verdict(status: int) -> None:
    found = verdict(Answer(PLACE, status, httpx.Headers(), []))
    assert (found is None) == (200 <= status < 300)
    assert found is None or (found.reason and found.status == status)
