"""The head of a message: who sent it, what it is about, and whether that is to be believed."""

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.mail.heading import FIELD_BYTES, Heading, read_heading, readable

from .conftest import JOBS


def head(**fields: str) -> Heading:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return read_heading(io.BytesIO(lines.encode()))


@pytest.mark.parametrize(
    ("sender", "addresses"),
    [
        (JOBS, [JOBS]),
        ("Jobs <Alerts@JOBS.example>", [JOBS]),
        (f'"Jobs, for you" <{JOBS}>', [JOBS]),
        (f"Jobs (for <you@x.example>) <{JOBS}>", [JOBS]),
        (f"=?utf-8?q?Caf=C3=A9?=\r\n <{JOBS}>", [JOBS]),
        # Names that look like an address
        (f"{JOBS} <x@evil.example>", ["x@evil.example"]),
        (f'"{JOBS}" <x@evil.example>', ["x@evil.example"]),
        (f'"<{JOBS}>" <x@evil.example>', ["x@evil.example"]),
        (f'"a \\" <{JOBS}> \\"" <x@evil.example>', ["x@evil.example"]),
        ("=?utf-8?q?=3Calerts=40jobs.example=3E?= <x@evil.example>", ["x@evil.example"]),
        (f"x@evil.example ({JOBS})", ["x@evil.example"]),
        # Several
        (f"<{JOBS}> <x@evil.example>", [JOBS, "x@evil.example"]),
        (f"x@evil.example, Jobs <{JOBS}>", ["x@evil.example", JOBS]),
        (f"Us: {JOBS}, x@evil.example;", [JOBS, "x@evil.example"]),
        # None that can be made out
        (f'"Jobs <{JOBS}>', []),
        ("<=?utf-8?q?alerts=40jobs.example?=>", []),
        ("<alerts@jobs.example@evil.example>", []),
        ("<alerts@jobs.example\u0000>", []),
        ("<alerts@\u212aobs.example>", []),
        ("", []),
    ],
)
def test_only_the_address_counts(sender: str, addresses: list[str]) -> None:
    assert head(From=sender).senders == addresses


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ("mx.example; dkim=pass header.d=x; spf=pass; dmarc=pass (p=REJECT) header.from=x", ""),
        ("mx.example; dmarc=fail (p=NONE) header.from=x", "dmarc=fail"),
        ("mx.example;\r\n\tspf=fail;\r\n\tdkim=fail reason=x", "spf=fail, dkim=fail"),
        ("mx.example; spf=fail; dkim=pass", ""),
        ("mx.example; spf=softfail; dkim=none", ""),
        ("mx.example; dkim=fail; dkim=pass; spf=fail", ""),
        ('mx.example; spf=pass reason="; dmarc=fail"', ""),
        ("mx.example; spf=pass (said ; dmarc=fail (no))", ""),
        ("mx.example; none", ""),
        ("", ""),
    ],
)
def test_a_sender_is_doubted_when_the_receiving_server_does(results: str, verdict: str) -> None:
    forged = head(From=JOBS, Authentication_Results=results).forged
    assert verdict in forged
    assert bool(verdict) == bool(forged)


def test_only_the_topmost_results_are_those_of_the_receiving_server() -> None:
    head = b"From: alerts@jobs.example\nAuthentication-Results: mx; dmarc=%s\nAuthentication-Results: mx; dmarc=%s\n"
    assert read_heading(io.BytesIO(head % (b"fail", b"pass"))).forged
    assert not read_heading(io.BytesIO(head % (b"pass", b"fail"))).forged


@pytest.mark.parametrize(
    "second", ["From: x@evil.example", "FROM : x@evil.example", f"from:{JOBS}", "From: The team", "From:"]
)
def test_a_second_sender_makes_it_doubtful(second: str) -> None:
    assert read_heading(io.BytesIO(f"From: {JOBS}\nX: y\n{second}\n\n".encode())).forged == "it names several senders"


def test_a_sender_that_goes_on_and_on_is_doubtful() -> None:
    assert "far too long" in head(From=f"{JOBS}, {'x' * FIELD_BYTES}").forged


def test_a_long_line_is_one_line_wherever_it_is_cut() -> None:
    inside = b"Subject: " + b"x" * (64 * 1024 - 9) + b"From: alerts@jobs.example\n\n"
    assert read_heading(io.BytesIO(inside)).senders == []


def test_what_comes_after_the_empty_line_is_no_head() -> None:
    assert read_heading(io.BytesIO(b"Subject: x\r\n\r\nFrom: alerts@jobs.example\r\n")).senders == []


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Plain", "Plain"),
        ("=?UTF-8?B?w4AgbCdhZmZpY2hl?= =?iso-8859-1?q?_=E9t=E9?=", "À l'affiche été"),
        ("=?utf-8?b?w4Ag?= =?utf-8?b?bA==?=", "À l"),
        ("=?utf-8?b?%%%?= x", "x"),
        ("=?utf-8?q?=FF?=", "ÿ"),
        ("=?nothing?q?=C3=A9?=", "é"),
        ("=?utf-8?b?4pyT", "=?utf-8?b?4pyT"),
        ("folded\r\n\tover\r\n lines", "folded over lines"),
        ("\x1b[31mred\x07 \u202eterces\u200b", "[31mred terces"),
        ("=?utf-8?q?=0D=0ABcc:_x?=", "Bcc: x"),
    ],
)
def test_a_subject_is_shown_as_far_as_it_can_be_read(sent: str, shown: str) -> None:
    assert head(Subject=sent).subject == shown


def test_a_subject_in_an_unnamed_charset_is_read() -> None:
    assert read_heading(io.BytesIO("Subject: été\n".encode())).subject == "été"
    assert read_heading(io.BytesIO("Subject: été\n".encode("latin-1"))).subject == "été"


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_no_head_is_too_strange(sender: bytes, subject: bytes, rest: bytes) -> None:
    heading = read_heading(
        io.BytesIO(b"From: %s\nSubject: %s\nDate: %s\nAuthentication-Results: %s" % (sender, subject, rest, rest))
    )
    assert all(each.isascii() and each == each.lower() for each in heading.senders)
    assert heading.subject.isprintable()
    assert heading.sent is None or heading.sent.tzinfo
    assert isinstance(heading.forged, str)


@pytest.mark.parametrize("piece", ['"\\', '"', "(", "()", "<", "<>", "=?", "=?a?q?", "=?a?b?x?=", ",<", " ", "; dkim="])
def test_no_head_takes_long(piece: str) -> None:
    text = piece * (FIELD_BYTES // len(piece))
    heading = head(From=text, Subject=text, Date=text, Authentication_Results=text)
    begin = time.process_time()
    assert [heading.senders, heading.subject, heading.sent, heading.forged, readable(text)]
    assert time.process_time() - begin < 0.5
