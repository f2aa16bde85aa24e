"""Reading the text of a page, whatever it says that it is written in."""

import codecs
import re

from charset_normalizer import from_bytes

MOST_META = 4096
"""Bytes in which a page may declare its encoding; the standard of HTML asks for the first 1024."""
MOST_GUESSED = 32_768
"""Bytes from which an encoding is guessed: guessing is slow, and more text does not make it better."""
MOST_WRONG = 0.001
"""Share of characters that may be broken in a text that is what it says."""

MOST_STRANGE = 0.03
"""Share of the bytes beyond ASCII that French in Windows-1252 hardly has: in Hungarian of Windows-1250 it is some 8 %,
in Polish and Czech half of them."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"""(?:charset|encoding)\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_:.-]{2,40})""")
_CHARSET = re.compile(r"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
_ASCII = bytes(range(128))
_WESTERN = "àâäáæçéèêëíîïñóôöœùûüúÿß€£§«»‘’“”…–—•·°©®™¡\u00a0\u00ad".encode("cp1252")
_WESTERN += "ÀÂÄÁÆÇÉÈÊËÍÎÏÑÓÔÖŒÙÛÜÚŸ".encode("cp1252")
"""What French, German and Spanish are written in beyond ASCII."""
_FOREIGN = re.compile(rb"[\x8c\x9c\x9f\xc0-\xff]{3,}")
"""Letters beyond ASCII in a row, as other alphabets have them in every word."""
# What browsers read, and nothing else: Python has codecs that are no charsets, some of them slow on purpose.
_KNOWN = re.compile(
    r"utf-8|utf-16(-[lb]e)?|cp125[0-8]|cp866|iso8859-\d{1,2}|koi8-[ru]|mac-(roman|cyrillic)|tis-620|cp874|"
    r"gb18030|big5|big5hkscs|euc_jp|iso2022_jp|shift_jis|cp932|euc_kr|cp949"
)
# As browsers do: pages say these and mean those, which hold more.
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "euc_jis_2004": "euc_jp",  # as a guess calls it
}


def text_of(body: bytes, content_type: str = "") -> tuple[str, str]:
    """Return the text of a body and the encoding that it turned out to have; never fails.

    In this order: the mark at its beginning; UTF-8, when it is that without a fault (nothing else looks like it, so a
    header or a page that says otherwise is wrong); what the header says, then the page itself, where it can be read so;
    Windows-1252, when it looks like French or the like, which a guess takes for Polish; a guess; Windows-1252.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace"), encoding
    declared = [each for each in (_known(_in_header(content_type)), _known(_in_page(body))) if each]
    shifts = "iso2022_jp" in declared and b"\x1b" in body
    if b"\0" not in body and not shifts:
        declared.insert(0, "utf-8")
    for encoding in dict.fromkeys(declared):
        try:
            return body.decode(encoding), encoding
        except UnicodeDecodeError:
            text = body.decode(encoding, "replace")
            if text.count("\ufffd") <= len(text) * MOST_WRONG:
                return text, encoding
    encoding = _guessed(body)
    return body.decode(encoding, "replace"), encoding


def _in_header(content_type: str) -> str:
    found = _CHARSET.search(content_type[:500])
    return found[1] if found else ""


def _in_page(body: bytes) -> str:
    found = _META.search(body[:MOST_META].lower())
    return found[1].decode("ascii") if found else ""


def _known(label: str) -> str:
    """Return Python's name of an encoding that browsers know too; empty for others."""
    try:
        name = codecs.lookup(label).name if label else ""
    except (LookupError, ValueError):
        return ""
    name = _WIDER.get(name, name)
    return name if _KNOWN.fullmatch(name) else ""


def _guessed(body: bytes) -> str:
    # The first bytes are mark-up; a page's text is further on.
    begin = max(0, (len(body) - MOST_GUESSED) // 3)
    part = body[begin : begin + MOST_GUESSED]
    if _is_western(part):
        return "cp1252"
    best = from_bytes(part).best()
    return _known(best.encoding) or "cp1252" if best else "cp1252"


def _is_western(text: bytes) -> bool:
    """Whether all that is not ASCII is, in Windows-1252, what western languages are written in."""
    beyond = text.translate(None, _ASCII)
    strange = len(beyond.translate(None, _WESTERN)) + sum(map(len, _FOREIGN.findall(text)))
    return b"\0" not in text and strange <= len(beyond) * MOST_STRANGE
