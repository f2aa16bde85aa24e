"""A mailbox on a real server: Dovecot on this machine."""

import ctypes
import imaplib
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from regie_toy_dovecot import HERE, OTHERS, PASSWORD, WITHOUT_MOVE, WITHOUT_UIDPLUS, Dovecot, Wire, wire

from lib.errors import InputError, UnavailableError
from lib.offers.mail.account import ImapAccount
from lib.offers.mail.base import Envelope, MessageGoneError
from lib.offers.mail.imap import ImapMailbox
from lib.offers.mail.options import MailOptions

from .conftest import JOBS, message

Open = Callable[..., ImapMailbox]


@pytest.fixture
def counted(server: Dovecot) -> Iterator[Wire]:
    with wire(HERE, server.port) as made:
        yield made


def through(account: ImapAccount, made: Wire) -> ImapAccount:
    return replace(account, port=made.port)


def by_hand(account: ImapAccount, *commands: str) -> None:
    """Do what a person does in another program."""
    with imaplib.IMAP4(account.host, account.port) as client:
        client.login(account.user, account.password)
        for command in commands:
            name, *rest = command.split(" ")
            assert client._simple_command(name, *rest)[0] == "OK"  # type: ignore[attr-defined]
            if name == "SELECT":
                client.state = "SELECTED"


def test_two_thousand_messages_take_few_commands(
    server: Dovecot, account: ImapAccount, counted: Wire, opened: Open
) -> None:
    others = [message(1, f"Friend {number} <friend@home.example>") for number in range(1000)]
    server.put(account.user, [*others, *(message(number % 28 + 1) for number in range(1000))])
    box = opened(through(account, counted))
    assert len(box.audit()) == 1000
    assert counted.asked == [
        *("CAPABILITY", "LOGIN", "CAPABILITY", "EXAMINE", "NOOP", "UID SEARCH"),
        *["UID FETCH"] * 4,  # the senders of all
        *["UID FETCH"] * 2,  # the heads of alerts
    ]


def test_of_a_giant_head_no_more_is_sent_than_is_kept(
    server: Dovecot, account: ImapAccount, counted: Wire, opened: Open
) -> None:
    server.put(account.user, [message(1, Subject="x" * 1_000_000, Authentication_Results="y; " * 300_000)] * 3)
    assert len(opened(through(account, counted)).audit()) == 3
    assert counted.received < 100_000


def test_handling_many_takes_one_command(server: Dovecot, account: ImapAccount, counted: Wire, opened: Open) -> None:
    server.put(account.user, [message(1)] * 60)
    box = opened(through(account, counted))
    found = box.audit()
    before = len(counted.asked)
    box.handled(found)
    assert counted.asked[before:] == ["SELECT", "UID STORE"]
    assert all(name.endswith(":2,S") for name in server.raw(account.user))


def test_a_message_takes_one_command_and_a_large_one_none(
    server: Dovecot, account: ImapAccount, counted: Wire, opened: Open
) -> None:
    server.put(account.user, [message(1), message(2, body="0123456789\n" * 2_000_000)])
    box = opened(through(account, counted), message_limit_mb=20)
    small, large = box.audit()
    before = len(counted.asked)
    box.fetch(small)
    with pytest.raises(InputError, match=r"24\.0 MB or more: the limit is 20"):
        box.fetch(large)
    assert counted.asked[before:] == ["UID FETCH"]
    with pytest.raises(InputError, match=r"20\.0 MB or more"):
        box.fetch(replace(large, size=0))
    assert len(opened(account, message_limit_mb=25).fetch(large)) == large.size


def test_a_mailbox_that_was_made_anew_has_none_of_the_messages_that_it_had(
    server: Dovecot, account: ImapAccount, opened: Open
) -> None:
    by_hand(account, "CREATE Alerts")
    server.put(account.user, [message(1)], "Alerts")
    box = opened(account, folder="Alerts")
    found = box.audit()
    by_hand(account, "DELETE Alerts", "CREATE Alerts")
    server.put(account.user, [message(2)], "Alerts")
    for each in (box, opened(account, folder="Alerts")):
        with pytest.raises(MessageGoneError):
            each.fetch(found[0])
        each.handled(found)
    (other,) = box.audit()
    assert other.subject == "Alert 2"
    assert other.id.partition(":")[2] == found[0].id.partition(":")[2]


def test_a_message_that_was_deleted_or_read_elsewhere_is_left_out(
    server: Dovecot, account: ImapAccount, opened: Open
) -> None:
    server.put(account.user, [message(number) for number in (1, 2, 3, 4)])
    box = opened(account)
    _, second, *_ = box.audit()
    by_hand(account, "SELECT INBOX", r"STORE 1 +FLAGS (\Seen)", r"STORE 2 +FLAGS (\Deleted)", "EXPUNGE")
    by_hand(account, "SELECT INBOX", r"STORE 3 +FLAGS (\Deleted)")
    with pytest.raises(MessageGoneError):
        box.fetch(second)
    assert [each.subject for each in box.audit()] == ["Alert 3"]


def test_messages_that_come_meanwhile_are_found(server: Dovecot, account: ImapAccount, opened: Open) -> None:
    box = opened(account)
    assert box.audit() == []
    server.put(account.user, [message(1)])
    assert len(box.audit()) == 1


def test_flagged_messages_stay_where_they_are(server: Dovecot, account: ImapAccount, opened: Open) -> None:
    server.put(account.user, [message(1), message(2)])
    by_hand(account, "SELECT INBOX", r"STORE 2 +FLAGS (\Deleted)")
    box = opened(account)
    box.handled(box.audit())
    assert len(server.raw(account.user)) == 2  # what somebody marked as deleted is not removed by the way


@pytest.mark.parametrize(
    ("host", "commands", "left"),
    [
        (HERE, ["UID MOVE"], 1),
        (WITHOUT_MOVE, ["UID COPY", "UID STORE", "UID EXPUNGE"], 1),
        (WITHOUT_UIDPLUS, ["UID COPY", "UID STORE"], 2),
    ],
)
def test_messages_are_moved_with_what_the_server_can_do_and_no_others_are_removed(
    server: Dovecot, account: ImapAccount, opened: Open, host: str, commands: list[str], left: int
) -> None:
    server.put(account.user, [message(1), message(2)])
    by_hand(account, "SELECT INBOX", r"STORE 1 +FLAGS (\Deleted)", "CREATE Done")
    with wire(host, server.port) as made:
        box = opened(through(account, made), afterwards="move", moved_to="Done")
        box.handled(box.audit())
        assert [each for each in made.asked if each in {"UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE"}] == commands
        assert box.audit() == []
    assert list(server.raw(account.user, "Done").values()) == [message(2)]
    assert len(server.raw(account.user)) == left


def test_a_folder_to_move_to_is_made_and_may_have_accents(server: Dovecot, account: ImapAccount, opened: Open) -> None:
    by_hand(account, "CREATE Bo&AO4-te")
    server.put(account.user, [message(1)], "Bo&AO4-te")
    box = opened(account, folder="Boîte", afterwards="move", moved_to='Traités & "rangés"')
    box.handled(box.audit())
    assert list(server.raw(account.user, 'Trait&AOk-s &- "rang&AOk-s"').values()) == [message(1)]
    assert opened(account, folder='Traités & "rangés"').try_out() == 1


def test_messages_cannot_be_moved_to_where_they_are(account: ImapAccount) -> None:
    with pytest.raises(InputError, match="the folder that they are in"):
        ImapMailbox(account, MailOptions(folder="A", moved_to="A", afterwards="move"))
    with pytest.raises(InputError, match="no line breaks"):
        ImapMailbox(account, MailOptions(folder="A\r\nA1 DELETE B"))


@pytest.mark.parametrize("cut_at", ["NOOP", "UID SEARCH", "UID FETCH"])
def test_an_audit_is_made_again_when_the_connection_breaks(
    server: Dovecot, account: ImapAccount, counted: Wire, opened: Open, cut_at: str
) -> None:
    server.put(account.user, [message(1), message(2)])
    box = opened(through(account, counted))
    found = box.audit()
    counted.cut_at = cut_at
    assert box.audit() == found
    assert counted.asked.count("LOGIN") == 2


@pytest.mark.parametrize("afterwards", ["flag", "move"])
def test_what_is_done_after_a_long_time_is_done_on_a_new_connection(
    server: Dovecot, account: ImapAccount, counted: Wire, opened: Open, afterwards: str
) -> None:
    server.put(account.user, [message(1), message(2)])
    box = opened(through(account, counted), afterwards=afterwards)
    first, second = box.audit()
    counted.cut()
    assert b"Alert 1" in box.fetch(first)
    counted.cut_at = "SELECT"
    box.handled([first])
    counted.cut_at = "UID STORE" if afterwards == "flag" else "UID MOVE"
    box.handled([second])
    assert box.audit() == []
    assert len(server.raw(account.user, "Imported" if afterwards == "move" else "")) == 2


def test_a_connection_that_breaks_at_once_is_not_tried_for_ever(
    account: ImapAccount, counted: Wire, opened: Open
) -> None:
    counted.cut_at = "EXAMINE"
    with pytest.raises(UnavailableError, match=r"The connection to .* broke"):
        opened(through(account, counted)).audit()
    assert counted.asked.count("EXAMINE") == 1


def test_one_that_cannot_be_opened_again_is_said(account: ImapAccount, opened: Open, server: Dovecot) -> None:
    with wire(HERE, server.port) as made:
        box = opened(through(account, made))
        box.audit()
    with pytest.raises(UnavailableError, match="Nothing answers at"):
        box.audit()


def test_users_and_passwords_may_have_accents_and_quotes(server: Dovecot, opened: Open) -> None:
    for user, password in OTHERS.items():
        assert opened(ImapAccount(HERE, user, password, server.port, "none")).audit() == []


def test_a_wrong_password_is_said_and_not_shown(account: ImapAccount, opened: Open) -> None:
    with pytest.raises(
        UnavailableError, match=rf"does not accept the user {account.user}.*Authentication failed"
    ) as wrong:
        opened(replace(account, password="canary-wrong")).audit()
    assert "canary" not in str(wrong.value)
    assert wrong.value.__cause__ is None


def test_a_folder_that_is_not_there_is_said(account: ImapAccount, opened: Open) -> None:
    with pytest.raises(UnavailableError, match=r"The folder 'Élsewhere' cannot be opened .*doesn't exist"):
        opened(account, folder="Élsewhere").audit()


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_connection_is_encrypted_and_the_certificate_checked(
    server: Dovecot, account: ImapAccount, opened: Open, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    port = server.tls_port if security == "ssl" else server.port
    secure = replace(account, security=security, port=port)  # type: ignore[arg-type]
    with pytest.raises(UnavailableError, match="is not to be trusted: self-signed certificate"):
        opened(secure).audit()
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    assert opened(secure).audit() == []
    with pytest.raises(UnavailableError, match=r"is not to be trusted: IP address mismatch"):
        opened(replace(secure, host=WITHOUT_MOVE)).audit()


def test_a_port_with_another_encryption_is_said(server: Dovecot, account: ImapAccount, opened: Open) -> None:
    with pytest.raises(UnavailableError, match="does not encrypt in the way of `ssl`"):
        opened(replace(account, security="ssl")).audit()


def test_a_host_that_is_nowhere_is_said(account: ImapAccount, opened: Open) -> None:
    with pytest.raises(UnavailableError, match=r"There is no host imap\.jobs\.invalid"):
        opened(replace(account, host="imap.jobs.invalid", security="ssl")).audit()


def answering(*answers: bytes, tls: ssl.SSLContext | None = None) -> int:
    """Return the port of a server that gives these answers, one to each line, and then keeps silent."""
    listener = socket.create_server((HERE, 0))

    def serve() -> None:
        with listener:
            client, _ = listener.accept()
        client = tls.wrap_socket(client, server_side=True) if tls else client
        with client, client.makefile("rwb") as lines:
            for answer in answers:
                lines.write(answer)
                lines.flush()
                lines.readline()
            lines.readline()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b""], r"did not answer within 0\.2 s"),
        ([b"220 mail.example ESMTP\r\n"], "The connection to .* broke. It says: unexpected response"),
        ([b"* OK hello\r\n", b"* BYE see you, \x1b[2J later\r\n"], r"broke.*see you, \[2J later"),
        ([b"* OK hello\r\n", b"* X {99999999999}\r\n"], "an answer of 99999999999 bytes"),
    ],
)
def test_a_server_that_is_none_is_said(account: ImapAccount, opened: Open, answers: list[bytes], words: str) -> None:
    with pytest.raises(UnavailableError, match=words):
        opened(replace(account, port=answering(*answers)), timeout=0.2).audit()


class Stop(BaseException):
    """Raised from outside to stop a thread."""


@pytest.mark.parametrize("silent", ["at first", "at first, in TLS", "later"])
def test_who_waits_for_a_silent_server_can_be_stopped(
    server: Dovecot, account: ImapAccount, opened: Open, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    hold = threading.Event()
    if silent == "later":

        def answer(command: bytes) -> bytes:
            if command.startswith(b"UID"):
                hold.wait(10)
            return b"* CAPABILITY IMAP4rev1\r\n* 2 EXISTS\r\nOK done"

        port = talking(answer)
    else:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(server.certificate, server.home / "key.pem")
        port = answering(b"* OK hello\r\n", tls=tls if "TLS" in silent else None)
    box = opened(replace(account, port=port, security="ssl" if "TLS" in silent else "none"), timeout=60)
    ended: list[BaseException] = []

    def audit() -> None:
        try:
            box.audit()
        except BaseException as error:  # noqa: BLE001  # told below
            ended.append(error)

    thread = threading.Thread(target=audit, daemon=True)
    thread.start()
    until_it_waits(thread)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Stop))
    thread.join(5)
    assert [type(each) for each in ended] == [Stop]
    closing = threading.Thread(target=box.close, daemon=True)
    closing.start()
    closing.join(5)
    assert not closing.is_alive(), "there is nobody to say goodbye to"
    hold.set()


def until_it_waits(thread: threading.Thread) -> None:
    """Return once a thread has been at one place for many looks."""
    looks: list[object] = []
    while looks[-20:].count(looks[-1] if looks else None) < 20 and thread.ident in (frames := sys._current_frames()):
        looks.append((frames[thread.ident].f_code, frames[thread.ident].f_lasti))
        threading.Event().wait(0.01)


def talking(answer: Callable[[bytes], bytes]) -> int:
    """Return the port of a server that answers each command, given without its tag; what it says last is tagged."""
    listener = socket.create_server((HERE, 0))

    def serve() -> None:
        with listener:
            client, _ = listener.accept()
        with client, client.makefile("rwb") as lines:
            lines.write(b"* OK hello\r\n")
            lines.flush()
            for line in lines:
                tag, _, command = line.partition(b" ")
                *said, last = answer(command.rstrip()).split(b"\r\n")
                lines.write(b"".join(each + b"\r\n" for each in [*said, tag + b" " + last]))
                lines.flush()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def test_nothing_of_the_password_comes_back_from_a_server_that_repeats_it(opened: Open) -> None:
    def repeat(command: bytes) -> bytes:
        return b"* CAPABILITY IMAP4rev1\r\nOK done" if command == b"CAPABILITY" else b"NO you said " + command

    with pytest.raises(UnavailableError, match="you said LOGIN") as wrong:
        opened(ImapAccount(HERE, "jo", PASSWORD, talking(repeat), "none")).audit()
    assert PASSWORD not in str(wrong.value)


def test_servers_may_say_things_in_their_own_order(opened: Open) -> None:
    sender, subject = b"From: alerts@jobs.example\r\n\r\n", b"Subject: Alert\r\n\r\n"
    answers = {
        b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nOK done",
        b"EXAMINE": b"* 2 EXISTS\r\nOK [READ-ONLY] no UIDVALIDITY here",
        b"UID SEARCH": b"* SEARCH 7 12\r\n* SEARCH\r\nOK done",
        b"UID FETCH": b"* 5 FETCH (FLAGS (\\Seen) UID 99)\r\n"
        b'* 2 FETCH (BODY[HEADER.FIELDS ("FROM")]<0> {%d}\r\n%s BODY[HEADER.FIELDS ("SUBJECT")]<0> {%d}\r\n%s'
        b' BODY[HEADER.FIELDS ("DATE")]<0> "" FLAGS () RFC822.SIZE 20 UID 12)\r\n'
        b"* 3 EXPUNGE\r\n"
        b"* 1 FETCH (UID 7 RFC822.SIZE 10 BODY[HEADER.FIELDS (FROM)] {%d}\r\n%s BODY[HEADER.FIELDS (SUBJECT)] NIL)\r\n"
        b"* 4 FETCH (UID 98 FLAGS ())\r\nOK done" % (len(sender), sender, len(subject), subject, len(sender), sender),
    }

    def answer(command: bytes) -> bytes:
        return next((said for name, said in answers.items() if command.startswith(name)), b"OK done")

    found = opened(ImapAccount(HERE, "jo", PASSWORD, talking(answer), "none")).audit()
    assert [(each.id, each.subject, each.size) for each in found] == [("0:12", "Alert", 20), ("0:7", "", 10)]


def test_a_folder_that_may_only_be_read_is_said(opened: Open) -> None:
    def answer(command: bytes) -> bytes:
        if command == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\nOK done"
        return b"* OK [UIDVALIDITY 1] valid\r\nOK [READ-ONLY] done"

    box = opened(ImapAccount(HERE, "jo", PASSWORD, talking(answer), "none"))
    with pytest.raises(UnavailableError, match="can be read only"):
        box.handled([Envelope("1:1", "Jobs", JOBS, "Alert")])
