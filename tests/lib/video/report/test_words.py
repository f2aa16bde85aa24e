"""Sentences, numbers, times and addresses."""

import html
import os
import re
import string
from pathlib import Path
from typing import get_args
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.report.messages import MESSAGES
from lib.video.report.page import TEMPLATES
from lib.video.report.words import Words, clock, href
from lib.words import Language

ENGLISH, FRENCH = Words("en"), Words("fr")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_both_languages_say_the_same(key: str) -> None:
    """The same values in each form of each language, but that "one" need not say the number."""
    english, french = MESSAGES[key]
    assert english.strip()
    assert french.strip()
    assert english.count("|") == french.count("|") <= 1
    assert {frozenset(fields(form)) for form in english.split("|")} == {
        frozenset(fields(form)) for form in french.split("|")
    }


def test_templates_say_only_what_the_catalogue_has() -> None:
    asked = {
        key for path in TEMPLATES.glob("*.html") for key in re.findall(r"\bt\([\"']([a-z_]+)[\"'],?", path.read_text())
    }
    built = {key for key in asked if key.endswith("_")}
    assert asked - built <= MESSAGES.keys()
    assert built == {"phase_", "state_"}


def test_no_message_is_left_unused() -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in [*TEMPLATES.glob("*.html"), *TEMPLATES.parent.glob("*.py")]
        if path.name != "messages.py"
    )
    built = ("phase_", "state_", "missing_", "broken_", "frames_")
    unused = [
        key for key in MESSAGES if not key.startswith(built) and f'"{key}"' not in source and f"'{key}'" not in source
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (0, "0 faces", "0 visage"),
        (1, "1 face", "1 visage"),
        (2, "2 faces", "2 visages"),
        (1234, "1,234 faces", "1\u202f234 visages"),
    ],
)
def test_counts(count: int, english: str, french: str) -> None:
    assert ENGLISH("faces_seen", count=count) == english
    assert FRENCH("faces_seen", count=count) == french


def test_rates_and_clock() -> None:
    assert ENGLISH.rate(25) == "25"
    assert FRENCH.rate(30000 / 1001) == "29,97"
    assert [clock(each) for each in (0, 59.99, 60, 3600, 36_001)] == ["0:00", "0:59", "1:00", "1:00:00", "10:00:01"]


def test_languages_of_the_options_are_those_of_the_catalogue() -> None:
    assert get_args(Language) == ("en", "fr")


@given(st.binary(min_size=1, max_size=255).filter(lambda name: not set(name) & {0, 47} and name not in {b".", b".."}))
def test_an_address_stands_for_every_byte_of_a_name(name: bytes) -> None:
    path = Path("/films") / os.fsdecode(name)
    address = href(path, Path("/films/reports"))
    assert address is not None
    assert html.escape(address) == address
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert unquote_to_bytes(parts.path) == b"./../" + name
