"""Messages that are broken, lie, or are made to harm are read as far as they can be, or refused."""

import base64
import quopri
import random
import time
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.errors import InputError
from lib.offers.alerts.parsing import read_alert
from lib.offers.alerts.registry import SENDERS

from .conftest import letter
from .letters import FIXTURES

LINK = "https://www.linkedin.com/comm/jobs/view/{}/?trackingId=x"
TITLE, COMPANY = "Élève ingénieur · Lyon", "Société Éloïse"
CARD = f'<table><tr><td><a href="{LINK.format(4300000001)}">{TITLE}</a><p>{COMPANY}</p></td></tr></table>'
SOURCES = [sender.name for sender in SENDERS] + ["Another"]
MAILS = [path.read_bytes() for path in sorted(FIXTURES.glob("*/*.eml"))]


BASE64 = "Content-Transfer-Encoding: base64"
QUOTED = "Content-Transfer-Encoding: quoted-printable"
ATTACHED = "Content-Disposition: attachment"


def part(content: bytes, parameters: str, *headers: str, kind: str = "text/html") -> bytes:
    return "\r\n".join([f"Content-Type: {kind}{parameters}", *headers]).encode() + b"\r\n\r\n" + content


def multipart(kind: str, *parts: bytes, end: bytes = b"--X--\r\n") -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="X"\r\n\r\n'.encode()
    return head + b"".join(b"--X\r\n" + each + b"\r\n" for each in parts) + end


def renamed(message: bytes, boundary: bytes) -> bytes:
    return message.replace(b'"X"', b'"' + boundary + b'"').replace(b"--X", b"--" + boundary)


def html(charset: str = "; charset=utf-8", content: bytes = CARD.encode(), *headers: str) -> bytes:
    return part(content, charset, *headers)


def encoded() -> bytes:
    return html("; charset=utf-8", base64.encodebytes(CARD.encode()), BASE64)


PLAIN = f"{TITLE}\n{COMPANY}\nNantes\nView job: {LINK.format(4300000001)}\n".encode()

SOFT = quopri.encodestring(CARD.encode())
READABLE = {
    "html only": html(),
    "text only": part(PLAIN, "; charset=utf-8", kind="text/plain"),
    "no content type": b"Subject: x\r\n\r\n" + PLAIN,
    "alternative": multipart("alternative", part(b"See the other part", "", kind="text/plain"), html()),
    "nested": multipart("mixed", renamed(multipart("related", renamed(multipart("alternative", html()), b"Y")), b"Z")),
    "forwarded": multipart("mixed", part(b"look", "", kind="text/plain"), part(html(), "", kind="message/rfc822")),
    "forwarded as an attachment": multipart("mixed", part(html(), "", ATTACHED, kind="message/rfc822")),
    "no end boundary": multipart("mixed", html(), end=b""),
    "no boundary": b"Content-Type: multipart/mixed\r\n\r\n" + PLAIN,
    "boundary of another": multipart("mixed", encoded()).replace(b'"X"', b'"Q"'),
    "boundary of another twice": multipart("mixed", multipart("related", html())).replace(b'"X"', b'"Q"'),
    "base64": encoded(),
    "base64 cut": html("; charset=utf-8", base64.b64encode(CARD.encode() + b"<p>.")[:-3], BASE64),
    "base64 that is none": html("; charset=utf-8", CARD.encode(), "Content-Transfer-Encoding: BASE64"),
    "quoted-printable": html("; charset=utf-8", SOFT, QUOTED),
    "quoted-printable undeclared": html("; charset=utf-8", SOFT),
    "unknown transfer encoding": html("; charset=utf-8", CARD.encode(), "Content-Transfer-Encoding: x-odd"),
    "utf-8 that is cp1252": html("; charset=utf-8", CARD.encode("cp1252")),
    "ascii that is cp1252": html("; charset=us-ascii", CARD.encode("cp1252")),
    "ascii that is utf-8": html("; charset=us-ascii"),
    "latin-1 that is utf-8": html("; charset=iso-8859-1"),
    "iso-8859-15 that is utf-8": html("; charset=iso-8859-15"),
    "no charset": html(""),
    "charset unknown": html("; charset=klingon"),
    "charset that is no text's": html("; charset=base64", CARD.encode("cp1252")),
    "charset of names": html("; charset=punycode", CARD.encode("cp1252")),
    "charset of escapes": html("; charset=utf-7", CARD.encode("cp1252")),
    "iso-8859-15": html("; charset=iso-8859-15", CARD.encode("iso-8859-15")),
    "utf-16": html("; charset=utf-16", CARD.encode("utf-16")),
    "breaks behind signs": html(content=CARD.replace("<p>", '<p a=\n"=3D=3D=3D" b=\n"" c=\n"" d=\n"">').encode()),
    "NUL": html("; charset=utf-8", CARD.replace("Élève", "Él\x00ève").encode()),
    "unix lines": multipart("alternative", html()).replace(b"\r\n", b"\n"),
    "mac lines": b"Subject: x\n" + html().replace(b"\r\n", b"\n"),
    "mbox line": b"From x@y Mon Nov  2 07:30:00 2026\r\n" + html(),
}  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_a_message_is_read_however_it_is_built(name: str) -> None:
    (card,) = read_alert(READABLE[name], "LinkedIn").cards
    assert (card.title, card.company) == (TITLE, COMPANY)
    assert card.link == "https://www.linkedin.com/jobs/view/4300000001"


def test_two_pages_in_a_message_are_both_read() -> None:
    pages = [
        html("", b"<html><body>" + CARD.replace("001", f"00{each}").encode() + b"</body></html>") for each in (1, 2)
    ]
    assert len(read_alert(multipart("mixed", *pages), "LinkedIn").cards) == 2


def test_a_charset_that_looks_like_another_is_taken_at_its_word() -> None:
    text = f"データ\nFirm\nView job: {LINK.format(4300000001)}\n"
    (card,) = read_alert(part(text.encode("iso-2022-jp"), "; charset=iso-2022-jp", kind="text/plain"), "LinkedIn").cards
    assert card.title == "データ"


def test_attachments_are_not_read() -> None:
    attached = part(CARD.encode(), "; charset=utf-8; name=cv.html", "Content-Disposition: attachment; filename=cv.html")
    assert read_alert(multipart("mixed", attached), "LinkedIn").cards == ()


def test_it_says_who_sent_it_and_when() -> None:
    message = read_alert(letter(CARD), "LinkedIn").message
    assert message.sender == "alertes@site.example"
    assert message.subject == "Vos offres"
    assert message.sent == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"=?utf-8?q?Donn=C3=A9es?=", "Données"),
        (b"=?utf-8?b?RG9ubsOpZXM=?= =?utf-8?q?_!?=", "Données !"),
        (b"=?iso-8859-1?q?Donn=C3=A9es?=", "Données"),
        (b"=?klingon?q?Donn=E9es?=", "Données"),
        (b"=?a\x00b?q?Donn=E9es?=", "Données"),
        (b"a =?utf-8?b?*?=", "a"),
        ("Données".encode(), "Données"),
        ("Données".encode("cp1252"), "Données"),
        (b"Two\r\n lines", "Two lines"),
        (b"=?utf-8?q?a=E2=80=AEb=1B=5B31mc?=", "ab[31mc"),
    ],
)
def test_a_subject_is_decoded_and_harmless(header: bytes, subject: str) -> None:
    assert read_alert(b"Subject: " + header + b"\r\n\r\nx", "LinkedIn").message.subject == subject


def test_a_sender_is_not_the_one_in_its_name() -> None:
    forged = b"From: =?utf-8?q?a_=3Cjobalerts-noreply=40linkedin=2Ecom=3E?= <me@evil.example>\n\nx"
    assert read_alert(forged, "LinkedIn").message.sender == "me@evil.example"


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Nov 2026", "Fri, 31 Dec 9999 23:59:59 -1200", "1" * 5000, "Mon, 02 Nov 26"]
)
def test_a_date_that_is_none_is_left_out(date: str) -> None:
    sent = read_alert(f"Date: {date}\n\nx".encode(), "LinkedIn").message.sent
    assert sent is None or sent.tzinfo is UTC


def test_giant_headers_are_cut() -> None:
    giant = b'a="' + b';"' * 200_000
    raw = b"From: " + b"(" * 2_000_000 + b"\nSubject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n"
    begin = time.process_time()
    alert = read_alert(raw + READABLE["html only"].replace(b"charset=utf-8", giant), "LinkedIn")
    assert time.process_time() - begin < 5
    assert len(alert.cards) == 1
    assert len(alert.message.subject) <= 300


DEEP = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(1000))


@pytest.mark.parametrize(
    "raw",
    [DEEP[:5000], DEEP, DEEP.replace(b": mul", b":\n mul"), DEEP.replace(b": m", b":\x0bM"), b"\n" * 3_000_000],
    ids=["a hundred levels", "a thousand", "folded", "odd white space", "lines"],
)  # fmt: skip
def test_what_takes_too_long_to_parse_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError, match="too many parts or lines"):
        read_alert(raw, "LinkedIn")


BIG = {
    "20 MB of attachment": multipart("mixed", html(), part(b"QUJD" * 5_000_000, "", BASE64, kind="application/pdf")),
    "5 MB of HTML": html("", CARD.encode() + b"<p>x</p>" * 650_000),
    "elements in elements": html("", CARD.encode() + b"<div>" * 400_000),
    "links in links": html("", CARD.encode() + b'<a href="https://a.example/b">' * 40_000),
    "thousands of parts": multipart("mixed", html(), *[part(b"x", "", kind="text/plain")] * 5_000),
    "one line": html("", CARD.encode() + b"x" * 5_000_000),
    "marks that combine": html("", CARD.encode() + ("a" + "\u0300\u0316" * 200_000).encode()),
}  # fmt: skip


@pytest.mark.parametrize("name", BIG)
def test_a_big_message_is_read_in_time(name: str) -> None:
    begin = time.process_time()
    (card,) = read_alert(BIG[name], "LinkedIn").cards
    assert card.title == TITLE
    assert time.process_time() - begin < 10


def test_offers_and_their_texts_are_bounded() -> None:
    cards = "".join(
        CARD.replace("4300000001", str(4300000001 + each)).replace("Lyon", "y" * 999) for each in range(400)
    )
    found = read_alert(letter(cards), "LinkedIn").cards
    assert len(found) == 300
    assert max(len(card.title) for card in found) == 300


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=600), source=st.sampled_from(SOURCES))
@example(raw=b"", source="LinkedIn")
@example(raw=b"Content-Type: text/html\n\n<?xml version='1.0' encoding='klingon'?>x", source="LinkedIn")
@example(raw=b'Content-Type: text/html;;;="\n\n<', source="HelloWork")
@example(raw=b"Content-Type: multipart/mixed; boundary*0*=klingon'x'%ff\n\n--", source="APEC")
def test_no_bytes_are_too_odd(raw: bytes, source: str) -> None:
    _read_or_refuse(raw, source)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), source=st.sampled_from(SOURCES))
def test_no_alert_is_too_broken(seed: int, source: str) -> None:
    dice = random.Random(seed)
    raw = bytearray(dice.choice(MAILS))
    for _ in range(dice.randrange(1, 8)):
        begin = dice.randrange(len(raw))
        end = begin + dice.randrange(200)
        raw[begin:end] = dice.choice(
            [b"", bytes(dice.randbytes(6)), raw[end : end + 300], b"<table>", b'"', b"--", b"=\n"]
        )
    _read_or_refuse(bytes(raw), source)


def _read_or_refuse(raw: bytes, source: str) -> None:
    try:
        alert = read_alert(raw, source)
    except InputError:
        return
    for card in alert.cards:
        for text in (card.title, card.company, card.place, card.contract, card.salary, card.remote, *card.flags):
            assert text.isprintable()
            assert len(text) <= 300
        assert card.link.startswith(("https://", "http://"))
