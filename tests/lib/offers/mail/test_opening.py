"""Which mailbox is meant by what a person gives."""

import os
from pathlib import Path

import pytest

from lib.errors import InputError, UnavailableError
from lib.offers.mail.account import ImapAccount
from lib.offers.mail.opening import open_mailbox
from lib.offers.mail.options import MailOptions

from .conftest import MboxPlace, message

ACCOUNT = ImapAccount("imap.jobs.example", "jo@jobs.example", "canary-0123456789")


def test_imap_is_the_account_and_is_not_asked_yet() -> None:
    assert open_mailbox("imap", MailOptions(folder="Alerts"), ACCOUNT).name == "IMAP imap.jobs.example/Alerts"


def test_without_an_account_it_says_how_to_give_one() -> None:
    with pytest.raises(UnavailableError, match=r"regie blocks set mailbox.*IMAP_PASSWORD"):
        open_mailbox("imap", MailOptions(), None)


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}", "~/my mail"])
def test_anything_else_is_a_path(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "my mail"
    path.mkdir()
    box = open_mailbox(
        form.format(path if form == "{}" else path.as_uri().removeprefix("file://")), MailOptions(), None
    )
    assert box.name == str(path)
    assert box.audit() == []


def test_every_sender_that_regie_knows_is_looked_for(tmp_path: Path) -> None:
    MboxPlace(tmp_path / "mbox").put([message(1, "LinkedIn <jobalerts-noreply@linkedin.com>")])
    (found,) = open_mailbox(str(tmp_path / "mbox"), MailOptions(), None).audit()
    assert found.source == "LinkedIn"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nothing", "no such folder or file"),
        ("picture.png", "no mbox file"),
        ("s3://bucket/mail", "on this machine"),
        ("file://elsewhere/mail", "on this machine"),
        ("", "Give a folder"),
        ("a\0b", "Give a folder"),
        ("pipe", "neither a folder nor a file"),
        ("picture.png/mail", "cannot be read|no such folder"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_what_is_wrong_is_said(address: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=words):
        open_mailbox(address, MailOptions(), ACCOUNT)


def test_an_mbox_file_that_is_empty_has_no_messages(tmp_path: Path) -> None:
    (tmp_path / "jo").touch()
    assert open_mailbox(str(tmp_path / "jo"), MailOptions(), None).audit() == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"host": ""}, "host"),
        ({"host": "imaps://imap.jobs.example"}, "host"),
        ({"host": "a b"}, "host"),
        ({"host": "x\r\ny"}, "host"),
        ({"user": ""}, "user and a password"),
        ({"user": "jo\r\nA1 DELETE INBOX"}, "line breaks"),
        ({"password": "x\ny"}, "line breaks"),
        ({"password": ""}, "user and a password"),
        ({"port": 70000}, "port"),
        ({"security": "some"}, "ssl, starttls, none"),
        ({"security": "none"}, "readable on the way"),
        ({"security": "none", "host": "localhost.jobs.example"}, "readable on the way"),
    ],
)
def test_an_account_that_cannot_be_is_refused(wrong: dict[str, object], words: str) -> None:
    given = {"host": "imap.jobs.example", "user": "jo", "password": "canary-0123456789"} | wrong
    with pytest.raises(InputError, match=words) as refused:
        ImapAccount(**given)  # type: ignore[arg-type]
    assert "canary" not in str(refused.value)


def test_an_account_does_not_show_its_password() -> None:
    assert "canary" not in repr(ACCOUNT)


@pytest.mark.parametrize(("security", "port"), [("ssl", 993), ("starttls", 143)])
def test_the_usual_ports(security: str, port: int) -> None:
    assert ImapAccount("imap.jobs.example", "jo", "x", security=security).port == port  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.2.1", "::1"])
def test_on_this_machine_nothing_needs_to_be_encrypted(host: str) -> None:
    assert ImapAccount(host, "jo", "x", security="none").port == 143
