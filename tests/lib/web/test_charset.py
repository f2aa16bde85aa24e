import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.web.charset import text_of

FRENCH = "Développeur confirmé à Évry — 45 000 €, poste à pourvoir dès février. "
RUSSIAN = "Инженер-программист в Москве, полная занятость, опыт работы от трёх лет. " * 8
JAPANESE = "東京のソフトウェア開発者を募集しています。経験は三年以上。" * 8


@pytest.mark.parametrize(
    ("body", "header", "text", "encoding"),
    [
        (FRENCH.encode(), "text/html; charset=utf-8", FRENCH, "utf-8"),
        (FRENCH.encode(), "text/html", FRENCH, "utf-8"),
        (FRENCH.encode(), "text/html; charset=iso-8859-1", FRENCH, "utf-8"),
        (b'<meta charset="latin1">' + FRENCH.encode(), "", '<meta charset="latin1">' + FRENCH, "utf-8"),
        (FRENCH.encode("cp1252"), "text/html; charset=ISO-8859-1", FRENCH, "cp1252"),
        (FRENCH.encode("cp1252"), 'text/html; Charset="windows-1252"', FRENCH, "cp1252"),
        (FRENCH.encode("cp1252"), "text/html;charset = us-ascii", FRENCH, "cp1252"),
        (codecs.BOM_UTF8 + FRENCH.encode(), "text/html; charset=cp1252", FRENCH, "utf-8"),
        (codecs.BOM_UTF16_LE + FRENCH.encode("utf-16-le"), "text/html; charset=utf-8", FRENCH, "utf-16-le"),
        (codecs.BOM_UTF16_BE + FRENCH.encode("utf-16-be"), "", FRENCH, "utf-16-be"),
        (codecs.BOM_UTF32_LE + FRENCH.encode("utf-32-le"), "", FRENCH, "utf-32-le"),
        (FRENCH.encode("utf-16-le"), "text/html; charset=utf-16le", FRENCH, "utf-16-le"),
        (b"plain", "text/html; charset=utf-16", "plain", "utf-8"),
        (RUSSIAN.encode("koi8-r"), "text/html; charset=koi8-r", RUSSIAN, "koi8-r"),
        (RUSSIAN.encode("cp1251"), "text/html; charset=utf-8", RUSSIAN, "cp1251"),
        (JAPANESE.encode("shift_jis"), "text/html; charset=Shift_JIS", JAPANESE, "cp932"),
        (JAPANESE.encode("iso2022_jp"), "text/html; charset=iso-2022-jp", JAPANESE, "iso2022_jp"),
        (JAPANESE.encode("gb18030"), "text/html; charset=gb2312", JAPANESE, "gb18030"),
        (b"", "text/html; charset=utf-8", "", "utf-8"),
    ],
)
def test_text_is_read_whatever_is_said_of_it(body: bytes, header: str, text: str, encoding: str) -> None:
    assert text_of(body, header) == (text, encoding)


@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="windows-1251">',
        "<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=windows-1251'>",
        '<?xml version="1.0" encoding="windows-1251"?>',
    ],
)
@pytest.mark.parametrize("header", ["text/html", "text/html; charset=utf-8", "text/html; charset=no-such-thing"])
def test_the_page_itself_is_asked(meta: str, header: str) -> None:
    assert text_of((meta + RUSSIAN).encode("cp1251"), header) == (meta + RUSSIAN, "cp1251")


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "utf-7", "unicode_escape", "base64", "zlib", "rot13", "hex", "\0"]
)
def test_what_is_no_charset_of_the_web_is_never_used(label: str) -> None:
    assert text_of(b"caf\xe9 \\u0041 +AGE-", f"text/html; charset={label}")[0] == "café \\u0041 +AGE-"


def test_a_few_broken_letters_do_not_make_it_another_encoding() -> None:
    body = (FRENCH * 100).encode().replace(b"\xc3\xa9", b"\xe9", 1)
    text, encoding = text_of(body, "text/html; charset=utf-8")
    assert encoding == "utf-8"
    assert text.count("\ufffd") == 1


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_bytes_are_some_text(body: bytes, header: str) -> None:
    text, encoding = text_of(body, f"text/html; charset={header}")
    assert "".encode(encoding) is not None
    assert len(text) <= len(body)


@given(st.text(max_size=200), st.sampled_from(["", "; charset=latin1", "; charset=utf-16", "; charset=big5"]))
def test_utf_8_is_known_whatever_is_said(text: str, header: str) -> None:
    if "\0" not in text and not text.startswith("\ufeff"):
        assert text_of(text.encode(), "text/html" + header) == (text, "utf-8")
