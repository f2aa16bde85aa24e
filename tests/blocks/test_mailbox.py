"""The account of a mailbox is tried on a real server."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError
from regie_toy_dovecot import HERE, PASSWORD, Dovecot, dovecot

from blocks.mailbox import Mailbox
from lib.errors import UnavailableError
from lib.offers.mail.account import ImapAccount

CANARY = "canary-0123456789"
GIVEN = {"host": "imap.jobs.example", "user": "jo@jobs.example", "password": CANARY}


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    try:
        with dovecot() as running:
            yield running
    except FileNotFoundError:
        pytest.skip("there is no mail server here: apt-get install dovecot-imapd")


def block(server: Dovecot, **values: object) -> Mailbox:
    given = {"host": HERE, "user": "jo", "password": PASSWORD, "port": server.port, "security": "none"}
    return Mailbox.model_validate(given | values)


def test_who_is_let_in_is_told_how_many_messages_there_are(server: Dovecot) -> None:
    server.put("jo", [b"Subject: x\n\n"] * 1002)
    assert block(server).check() == "127.0.0.1 lets jo in; INBOX has 1,002 messages"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"password": CANARY[::-1]}, "does not accept the user jo"),
        ({"port": 9}, "Nothing answers at"),
        ({"security": "ssl"}, "check port and security"),
    ],
)
def test_what_is_wrong_is_said(server: Dovecot, values: dict[str, object], words: str) -> None:
    with pytest.raises(UnavailableError, match=words) as wrong:
        block(server, **values).check()
    assert CANARY[::-1] not in str(wrong.value)


def test_the_folder_of_the_settings_is_opened(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.settings import settings

    monkeypatch.setenv("REGIE_OFFERS__MAIL__FOLDER", "Alertes")
    settings.cache_clear()
    try:
        with pytest.raises(UnavailableError, match="The folder 'Alertes' cannot be opened"):
            block(server).check()
    finally:
        settings.cache_clear()


def test_the_environment_names_the_account() -> None:
    block = Mailbox.from_environment({"IMAP_HOST": "imap.jobs.example", "IMAP_USER": "jo", "IMAP_PASSWORD": CANARY})
    assert block is not None
    assert block.account() == ImapAccount("imap.jobs.example", "jo", CANARY, 993, "ssl")
    more = {"IMAP_PORT": "1143", "IMAP_SECURITY": "none", "IMAP_HOST": "localhost"}
    block = Mailbox.from_environment({"IMAP_USER": "jo", "IMAP_PASSWORD": CANARY, **more})
    assert block is not None
    assert block.account() == ImapAccount("localhost", "jo", CANARY, 1143, "none")
    assert Mailbox.from_environment({"IMAP_USER": "jo"}) is None


def test_a_password_may_have_accents_and_spaces() -> None:
    assert Mailbox(**{**GIVEN, "password": "abcd efgh é\n"}).account().password == "abcd efgh é"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"host": "imaps://imap.jobs.example"}, "host of the mailbox"),
        ({"security": "none"}, "readable on the way"),
        ({"security": "some"}, "'ssl', 'starttls' or 'none'"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"user": "a\nb"}, "line breaks"),
        ({"password": None}, "password"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        Mailbox.model_validate(GIVEN | values)
    assert CANARY not in str(refused.value)


def test_variables_that_say_too_little_are_said() -> None:
    from blocks.documents import in_use

    with pytest.raises(UnavailableError, match=r"What IMAP_HOST or .* holds is wrong: user: Field required"):
        in_use(Mailbox, {"IMAP_HOST": "imap.jobs.example"})
