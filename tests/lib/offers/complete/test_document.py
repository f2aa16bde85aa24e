import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.complete.document import fragment, parse, shown
from lib.offers.complete.readable import readable
from lib.offers.complete.texts import agreement, clean, cut, folded, line, paragraphs


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("One<br>Two<br/><br>Three", "One\nTwo\n\nThree"),
        ("<ul><li>One</li>\n<li>Two</li></ul>End", "- One\n- Two\n\nEnd"),
        ("<ul><li><p>One</p></li><li></li><li>Two</li></ul>", "- One\n- Two"),
        ("<b>One</b> <i>two</i>\n\nthree", "One two three"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("a<script>x</script>b<style>y</style>c", "abc"),
        ("caf&eacute; &amp; th&#233;", "café & thé"),
        ("<p>One<p>Two", "One\n\nTwo"),
        ("", ""),
        ("\x00", ""),
    ],
)
def test_the_text_of_a_page_is_what_is_seen(html: str, text: str) -> None:
    assert shown(parse(html)) == text


def test_a_page_that_declares_another_encoding_is_read_as_the_text_it_is() -> None:
    assert shown(parse('<?xml version="1.0" encoding="iso-8859-1"?><meta charset="koi8-r"><p>été</p>')) == "été"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>A</p>", "A"),
        ("&lt;p&gt;A&lt;/p&gt;", "A"),
        ("&amp;lt;p&amp;gt;A &amp;amp;amp; b&amp;lt;/p&amp;gt;", "A & b"),
        ("A\n\nB &amp; c", "A\n\nB & c"),
        ("salary < 50k, age > 3", "salary < 50k, age > 3"),
        ("<strong>A</strong>\nB\n<em>C</em>", "A\nB\nC"),
    ],
)
def test_a_description_becomes_plain_however_it_is_escaped(text: str, plain: str) -> None:
    assert fragment(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  a \n b\t c ", "a b c"),
        ("a\u202eb\u200bc\x07d\ud800", "abcd"),
        ("e\u0301", "é"),
        ("N/A", ""),
        ("null", ""),
        (None, ""),
        (True, ""),
        ({"a": 1}, ""),
        (42, "42"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_a_line_is_plain_and_bounded(text: object, plain: str) -> None:
    assert line(text) == plain


@given(st.text(), st.integers(1, 50))
def test_texts_keep_to_their_bounds_and_hold_nothing_unseen(text: str, limit: int) -> None:
    for plain in (line(text, limit), paragraphs(text, limit), cut(clean(text), limit)):
        assert len(plain) <= limit
        assert all(each.isprintable() or each == "\n" for each in plain)
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("Ingénieur DevOps H/F", "ingenieur devops (F/H) - Nantes", 1.0),
        ("Ingénieur Dev…", "Ingénieur DevOps", 1.0),
        ("Baker", "Miller", 0.0),
        ("", "Miller", 0.0),
        ("H/F", "H/F", 0.0),
    ],
)
def test_titles_agree_by_their_words(one: str, other: str, share: float) -> None:
    assert agreement(one, other) == agreement(other, one) == share


MENU = "<nav>" + "".join(f"<a href='/{n}'>Entry {n}</a> " for n in range(40)) + "</nav>"
TEXT = "".join(
    f"<p>Paragraph {n} of a text about bread, flour, water, salt and what becomes of them.</p>" for n in range(9)
)


def test_the_readable_text_is_the_main_one() -> None:
    found = readable(parse(f"<body>{MENU}<article><h1>Bread</h1>{TEXT}</article><footer>Cookies</footer>"))
    assert found.count("about bread") == 9
    assert "Entry 7" not in found


def test_the_readable_text_is_bounded() -> None:
    assert len(readable(parse(f"<body>{TEXT * 200}"))) == 50_000


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + TEXT,
        "<p>x" * 100_000,
        "<li>" * 100_000,
        "<table><tr><td>" * 20_000,
        "<b><i>" * 50_000,
        "<a href='" + "x" * 1_000_000,
        "<" * 500_000,
        "&lt;" * 300_000,
        "a\u0301\u0327" * 1000 + "\u0301\u0327" * 300_000,
        "<h1>" * 2000 + "a " * 500_000,
    ],
    ids=["divs", "paragraphs", "points", "tables", "inline", "attribute", "signs", "entities", "marks", "headings"],
)
def test_hostile_pages_take_little_time(html: str) -> None:
    started = time.process_time()
    root = parse(html)
    shown(root)
    readable(root)
    fragment(html)
    assert time.process_time() - started < 10
