"""Numbers and times in words, and texts from outside made fit to show."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.words import Words, visible

ENGLISH, FRENCH = Words("en"), Words("fr")


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (0, "0 s", "0 s"),
        (0.04, "0.0 s", "0,0 s"),
        (0.5, "0.5 s", "0,5 s"),
        (1, "1 s", "1 s"),
        (59.4, "59 s", "59 s"),
        (59.6, "1 min 00 s", "1 min 00 s"),
        (212, "3 min 32 s", "3 min 32 s"),
        (3599.7, "1 h 00 min", "1 h 00 min"),
        (28_800, "8 h 00 min", "8 h 00 min"),
    ],
)
def test_durations(seconds: float, english: str, french: str) -> None:
    assert ENGLISH.duration(seconds).replace("\u202f", " ") == english
    assert FRENCH.duration(seconds).replace("\u202f", " ") == french


@pytest.mark.parametrize(
    ("share", "english"), [(0, "0%"), (0.001, "< 1%"), (0.006, "1%"), (0.5, "50%"), (0.999, "100%"), (1, "100%")]
)
def test_shares(share: float, english: str) -> None:
    assert ENGLISH.percent(share).replace("\u202f", " ") == english


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_can_be_written_and_changes_no_direction(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not any(unicodedata.category(each) in {"Cc", "Cs"} for each in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(string.printable.strip() + "éλ日🎬 "))
def test_what_can_be_shown_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text
