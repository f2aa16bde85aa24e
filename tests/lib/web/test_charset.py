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


SHORT = [
    "Pétrir la nuit, cuire à l'aube.",
    "Poste à pourvoir dès février",
    "L’équipe ouvre à 6 h : où qu’il soit, le four chauffe déjà… ",
    "« Œuvrer à façon », 45 000 € – CDI",
    "Ingénieur qualité à Châteauroux, déplacements fréquents",
    "BOULANGER CONFIRMÉ À ÉVRY (créée en 1990)",
    "Bäcker für die Nachtschicht gesucht: Vollzeit, Großstadt",
]
MARKUP = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>{0}</p></body></html>"


@pytest.mark.parametrize("text", SHORT)
@pytest.mark.parametrize("times", [1, 20])
@pytest.mark.parametrize("around", ["{0}", MARKUP], ids=["text", "page"])
@pytest.mark.parametrize("header", ["text/html", "text/html; charset=utf-8"])
def test_french_is_not_taken_for_polish_however_short_it_is(text: str, times: int, around: str, header: str) -> None:
    page = around.format(f"{text} " * times)
    assert text_of(page.encode("cp1252"), header) == (page, "cp1252")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Szukamy programisty do zespołu. Praca w Łodzi, umowa o pracę, możliwość pracy zdalnej."),
        ("cp1250", "Hledáme pekaře do noční směny, nástup možný ihned, plný úvazek."),
        ("cp1250", "Tražimo pekara za noćnu smjenu, puno radno vrijeme, početak odmah."),
        ("cp1254", "Gece vardiyası için fırıncı arıyoruz, tam zamanlı çalışma, İstanbul."),
        ("cp1257", "Ieškome kepėjo naktinei pamainai, visas etatas, pradžia iš karto."),
        ("cp1251", "Требуется пекарь в ночную смену, полная занятость."),
        ("koi8-r", "Требуется пекарь в ночную смену, полная занятость."),
        ("cp1253", "Ζητείται αρτοποιός για νυχτερινή βάρδια, πλήρης απασχόληση."),
        ("cp932", "夜勤のパン職人を募集しています。経験は三年以上。"),
        ("euc_jp", "夜勤のパン職人を募集しています。経験は三年以上。"),
        ("gb18030", "招聘夜班面包师，全职，三年以上工作经验。"),
        ("cp949", "야간 제빵사를 모집합니다. 정규직."),
    ],
)
def test_what_is_clearly_something_else_is_still_known(encoding: str, text: str) -> None:
    assert text_of(f"<p>{text}</p>".encode(encoding), "text/html") == (f"<p>{text}</p>", encoding)


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
