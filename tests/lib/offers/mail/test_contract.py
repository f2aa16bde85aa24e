"""What holds for every kind of mailbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.offers.mail.base import MessageGoneError

from .conftest import JOBS, EmlPlace, ImapPlace, MaildirPlace, MboxPlace, Place, message

FORGED = (
    'mx.example; spf=fail smtp.mailfrom=jobs.example; dkim=none; dmarc=fail (p=REJECT "x") header.from=jobs.example'
)


@pytest.fixture(params=["eml", "Maildir", "mbox", "IMAP, flag", "IMAP, move"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    kinds: dict[str, type] = {"eml": EmlPlace, "Maildir": MaildirPlace, "mbox": MboxPlace}
    if request.param in kinds:
        yield kinds[request.param](tmp_path / "mail")
        return
    opened: Callable[..., object] = request.getfixturevalue("opened")
    afterwards = request.param.removeprefix("IMAP, ")
    yield ImapPlace(
        request.getfixturevalue("server"),
        request.getfixturevalue("account"),
        lambda account, **options: opened(account, afterwards=afterwards, **options),  # type: ignore[return-value]
    )


def lines(content: bytes) -> bytes:
    """A message, however its lines end: servers send them with CRLF."""
    return content.replace(b"\r\n", b"\n")


def test_an_audit_gives_the_unread_alerts_of_known_senders_the_oldest_first(place: Place) -> None:
    sent = [message(3), message(1), message(4, "A friend <friend@home.example>"), message(2, "<MAIL@work.example>")]
    place.put(sent)
    found = place.open().audit()
    assert [(each.source, each.sender, each.subject) for each in found] == [
        ("Jobs", JOBS, "Alert 1"),
        ("Work", "mail@work.example", "Alert 2"),
        ("Jobs", JOBS, "Alert 3"),
    ]
    assert found[0].sent == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert all(abs(each.size - len(sent[0])) < 100 for each in found)
    assert len({each.id for each in found}) == 3


def test_what_is_only_looked_at_stays_as_it_was(place: Place) -> None:
    place.put([message(1), message(2)])
    before = place.state()
    box = place.open()
    first, _ = box.audit()
    box.fetch(first)
    assert place.state() == before
    assert box.audit()[0] == first


def test_a_message_is_given_as_it_was_sent(place: Place) -> None:
    sent = message(1, body="Héllo\nFrom here on, a text.\nA quote.\n\n\nFrom nowhere\n.\nThe end: 7 Nov 2026")
    place.put([message(2), sent, message(3)])
    box = place.open()
    assert lines(box.fetch(box.audit()[0])) == sent


def test_one_that_was_handled_is_not_given_again_and_nothing_is_lost(place: Place) -> None:
    sent = [message(number) for number in (1, 2, 3)]
    place.put(sent)
    box = place.open()
    first, second, third = box.audit()
    box.handled([first, third])
    assert box.audit() == [second]
    assert lines(box.fetch(second)) == sent[1]
    assert place.open().audit() == [second]
    assert sorted(map(lines, place.contents())) == sent


def test_what_one_process_found_another_fetches_and_handles(place: Place) -> None:
    place.put([message(1), message(2)])
    first, second = place.open().audit()
    assert lines(place.open().fetch(second)) == message(2)
    place.open().handled([first])
    assert place.open().audit() == [second]


def test_handling_twice_or_what_is_gone_is_no_error(place: Place) -> None:
    place.put([message(1), message(2), message(3)])
    box = place.open()
    first, second, third = box.audit()
    place.remove(message(2))
    box.handled([first, second])
    box.handled([first, second])
    box.handled([])
    assert box.audit() == [third]


def test_a_message_that_somebody_deleted_is_gone(place: Place) -> None:
    place.put([message(1), message(2), message(3)])
    box = place.open()
    first, second, _ = box.audit()
    place.remove(message(1))
    with pytest.raises(MessageGoneError):
        box.fetch(first)
    assert lines(box.fetch(second)) == message(2)


def test_one_that_is_too_large_is_refused_and_the_others_are_not(place: Place) -> None:
    place.put([message(1, body="x" * 20_000), message(2)])
    box = place.open(message_limit_mb=0.01)
    large, small = box.audit()
    with pytest.raises(InputError, match=r"0\.0 MB or more: the limit is 0\.01"):
        box.fetch(large)
    assert lines(box.fetch(small)) == message(2)


@pytest.mark.parametrize(
    ("sender", "fields", "why"),
    [
        (f"Jobs <{JOBS}>, Somebody <else@evil.example>", {}, "several senders"),
        (f"{JOBS}\nFrom: else@evil.example", {}, "several senders"),
        (f"Jobs <{JOBS}>", {"Authentication_Results": FORGED}, "dmarc=fail"),
        (f"Jobs <{JOBS}>", {"Authentication_Results": "mx; dkim=fail (bad\n key);\n spf=fail"}, "spf=fail, dkim=fail"),
    ],
)
def test_one_whose_sender_may_be_forged_is_left_alone_and_named(
    place: Place, sender: str, fields: dict[str, str], why: str
) -> None:
    place.put([message(1, sender, **fields), message(2)])
    box = place.open()
    assert [each.subject for each in box.audit()] == ["Alert 2"]
    (doubt,) = box.doubts
    assert doubt.name == f"Alert 1 · {JOBS}"
    assert why in doubt.reason


def test_a_giant_head_is_cut(place: Place) -> None:
    giant = f"Subject: {'very ' * 200_000}\nX-Other: {'x' * 1_000_000}\n".encode()
    place.put([giant + message(1).replace(b"Subject: ", b"X-Subject: "), message(2, sender=f"{'x' * 9000} <{JOBS}>")])
    box = place.open()
    (found,) = box.audit()
    assert found.subject.startswith("very very ")
    assert len(found.subject) == 200
    assert found.sender == JOBS


@pytest.mark.parametrize(
    "broken",
    [
        b"From: alerts@jobs.example\n",
        b"From: alerts@jobs.example\nno field at all\n\xff\xfe\x00\n: \nSubject\n\nbody",
        b"Subject: =?utf-8?b?4pyT=\nDate: 99 Foo 2026\nFrom: =?no?x?? <alerts@jobs.example>\n\n",
        b"From: alerts@jobs.example\nDate: Fri, 31 Dec 9999 23:00:00 -2300\nSubject: =?klingon?q?=ff?=\n\nx",
    ],
)
def test_a_broken_head_is_read_as_far_as_it_goes(place: Place, broken: bytes) -> None:
    place.put([broken, message(2)])
    found = place.open().audit()
    assert [each.sender for each in found] == [JOBS, JOBS]
    assert found[0].sent is None


def test_an_empty_mailbox_has_nothing(place: Place) -> None:
    place.put([])
    box = place.open()
    assert box.audit() == []
    assert box.doubts == []
    box.close()
