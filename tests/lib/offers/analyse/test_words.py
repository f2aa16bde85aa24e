import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.words import fold, mentions, plain


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Développeur·se  BACK-END\n(H/F)", "developpeur se back end (h / f)"),
        ("Maître d’œuvre", "maitre d'oeuvre"),
        ("C++ / C# & .NET", "c++ / c# & .net"),
    ],
)
def test_accents_capitals_and_dashes_do_not_count(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "word", "there"),
    [
        ("Nous cherchons une infirmière.", "infirmier", True),
        ("Infirmier(e)s de jour", "infirmière", False),
        ("des développeurs", "développeur", True),
        ("full-stack", "full stack", True),
        ("C++ et C#", "c", False),
        ("C++ et C#", "c++", True),
        ("le langage C.", "C", True),
        ("c'est à nous", "C", False),
        ("Node.js", "node", False),
        ("javascript", "java", False),
        ("ASP.NET", ".net", False),
        ("menuisier-agenceur", "menuis*", True),
        ("R and Python", "R", True),
        ("RH", "R", False),
        ("anything", "…", False),
    ],
)
def test_a_word_is_found_as_a_word(text: str, word: str, there: bool) -> None:
    assert mentions(fold(text), word) is there


@given(st.text(max_size=200))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert plain(plain(text)) == plain(text)


@given(st.text(max_size=100), st.text("abcdefgé ", min_size=1, max_size=20).filter(str.strip))
def test_what_is_put_in_is_found(text: str, word: str) -> None:
    assert mentions(fold(f"{text} ; {word} ; {text}"), word)
