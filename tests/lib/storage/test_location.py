"""Passwords are no part of a location."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lib.storage.location import Location, holds_password

LOCATION = TypeAdapter(Location)
PLAIN = [
    "",
    "rushes",
    "/rushes/a@b/day:1",
    "C:\\rushes",
    "s3://bucket/a@b",
    "s3://bucket",
    "file:///mnt/a@b",
    "a:b@c",
    "odd:/name@x",
    "day 1://",
]
TELLING = ["s3://key:secret@bucket/a", "ftp://me@host", "zip::s3://key:secret@bucket/a", "https://a/b?c=ftp://u:p@d/"]


@pytest.mark.parametrize("text", PLAIN)
def test_paths_and_urls_are_locations(text: str) -> None:
    assert LOCATION.validate_python(text) == text
    assert not holds_password(text)


@pytest.mark.parametrize("text", TELLING)
def test_a_url_with_a_password_is_none(text: str) -> None:
    assert holds_password(text)
    with pytest.raises(ValidationError):
        LOCATION.validate_python(text)


NAMES = st.text(st.characters(exclude_characters="/@", codec="utf-8"))


@given(before=st.text(), user=NAMES, rest=st.text())
def test_whatever_is_around_it_a_password_is_seen(before: str, user: str, rest: str) -> None:
    if not before.endswith(":"):
        assert holds_password(f"{before}://{user}@{rest}")


@given(st.text())
def test_both_ways_to_look_agree(text: str) -> None:
    try:
        LOCATION.validate_python(text)
        refused = False
    except ValidationError:
        refused = True
    assert refused == holds_password(text) or text.endswith("\n")
