"""Texts from outside without what people do not see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.texts import harmless


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Données\n  à Lyon", "Données\n  à Lyon"),
        ("a\u202eb\u200bc\u00add", "abcd"),
        ("a\x1b[31m\x00", "a[31m"),
        ("a\u00a0b\tc\u2028d\r\ne", "a b c d \ne"),
        ("a\u034f\u3164\ufe0f\ufffdb", "ab"),
        ("データ 🎓", "データ 🎓"),
    ],
)
def test_what_is_not_seen_is_left_out(text: str, left: str) -> None:
    assert harmless(text) == left


@given(st.text(max_size=100))
def test_what_is_left_can_be_seen(text: str) -> None:
    left = harmless(text)
    assert left.replace("\n", "").isprintable()
    assert harmless(left) == left
