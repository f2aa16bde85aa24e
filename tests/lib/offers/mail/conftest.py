"""A mail server on this machine, places with messages of every kind, and messages that do not exist."""

import mailbox
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest
from regie_toy_dovecot import HERE, PASSWORD, Dovecot, dovecot

from lib.offers.mail.account import ImapAccount
from lib.offers.mail.base import Mailbox
from lib.offers.mail.folder import FolderMailbox
from lib.offers.mail.imap import ImapMailbox
from lib.offers.mail.options import MailOptions

JOBS = "alerts@jobs.example"
USERS = count()


def source_of(address: str) -> str | None:
    """The sites of these tests."""
    return {JOBS: "Jobs", "mail@work.example": "Work"}.get(address)


def message(number: int = 1, sender: str = f"Jobs <{JOBS}>", body: str = "An offer.", **fields: str) -> bytes:
    """Return a message, sent on a day of November."""
    head = {
        "From": sender,
        "Subject": f"Alert {number}",
        "Date": f"{number:02} Nov 2026 08:00:00 +0100",
        "Message-ID": f"<{number}@jobs.example>",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return "".join(f"{name}: {value}\n" for name, value in head.items()).encode() + f"\n{body}\n".encode()


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    """Give Dovecot, where it is installed."""
    try:
        with dovecot() as running:
            yield running
    except FileNotFoundError:
        pytest.skip("there is no mail server here: apt-get install dovecot-imapd")


@pytest.fixture
def user() -> str:
    """Return somebody with an empty mailbox."""
    return f"jo{next(USERS)}"


@pytest.fixture
def account(server: Dovecot, user: str) -> ImapAccount:
    """Return somebody's account."""
    return ImapAccount(HERE, user, PASSWORD, server.port, "none")


@pytest.fixture
def opened() -> Iterator[Callable[..., ImapMailbox]]:
    """Give a function that opens a mailbox, which is closed at the end."""
    boxes: list[ImapMailbox] = []

    def open_it(account: ImapAccount, **options: object) -> ImapMailbox:
        boxes.append(ImapMailbox(account, MailOptions(**options), source_of))  # type: ignore[arg-type]
        return boxes[-1]

    yield open_it
    for box in boxes:
        box.close()


class Place(Protocol):
    """Somewhere messages are."""

    def open(self, **options: object) -> Mailbox:
        """Open it anew."""

    def put(self, messages: Sequence[bytes]) -> None:
        """Have unread messages there."""

    def remove(self, content: bytes) -> None:
        """Have somebody delete a message."""

    def contents(self) -> list[bytes]:
        """Return every message that is anywhere in it, in no order."""

    def state(self) -> object:
        """Return all there is, to compare."""


class FilePlace:
    """What the kinds of files have in common."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def open(self, **options: object) -> FolderMailbox:
        return FolderMailbox(self.top, MailOptions(**options), source_of)  # type: ignore[arg-type]

    def files(self) -> list[Path]:
        return [path for path in sorted(self.top.rglob("*")) if path.is_file()]

    def contents(self) -> list[bytes]:
        return [path.read_bytes() for path in self.files()]

    def remove(self, content: bytes) -> None:
        next(path for path in self.files() if path.read_bytes() == content).unlink()

    def state(self) -> object:
        paths = [self.top, *self.top.rglob("*")]
        return [(path, path.stat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in paths]


class EmlPlace(FilePlace):
    def put(self, messages: Sequence[bytes]) -> None:
        self.top.mkdir(exist_ok=True)
        for number, each in enumerate(messages):
            (self.top / f"{number:05} été.eml").write_bytes(each)


class MaildirPlace(FilePlace):
    def put(self, messages: Sequence[bytes]) -> None:
        for each in ("cur", "new", "tmp"):
            (self.top / each).mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(messages):
            folder, flags = ("cur", ":2,F") if number % 2 else ("new", "")
            (self.top / folder / f"{time.time_ns()}.M{number}P7.studio{flags}").write_bytes(each)


class MboxPlace(FilePlace):
    def put(self, messages: Sequence[bytes]) -> None:
        box = mailbox.mbox(self.top)
        for each in messages:
            box.add(each)
        box.close()

    def contents(self) -> list[bytes]:
        box = mailbox.mbox(self.top, create=False)
        try:
            return [box.get_bytes(key).replace(b"Status: RO\n", b"") for key, _ in box.items()]
        finally:
            box.close()

    def remove(self, content: bytes) -> None:
        box = mailbox.mbox(self.top, create=False)
        box.remove(next(key for key, _ in box.items() if box.get_bytes(key) == content))
        box.close()

    def state(self) -> object:
        return self.top.stat().st_mtime_ns, self.top.read_bytes(), sorted(self.top.parent.iterdir())


class ImapPlace:
    def __init__(self, server: Dovecot, account: ImapAccount, open_it: Callable[..., ImapMailbox]) -> None:
        self.server, self.account, self.open_it = server, account, open_it

    def open(self, **options: object) -> ImapMailbox:
        return self.open_it(self.account, **options)

    def put(self, messages: Sequence[bytes]) -> None:
        self.server.put(self.account.user, list(messages))

    def contents(self) -> list[bytes]:
        moved = self.server.raw(self.account.user, "Imported")
        return [*self.server.raw(self.account.user).values(), *moved.values()]

    def remove(self, content: bytes) -> None:
        top = self.server.home / "mail" / self.account.user
        for path in [*(top / "new").iterdir(), *(top / "cur").iterdir()]:
            with suppress(FileNotFoundError):
                if path.read_bytes() == content:
                    path.unlink()

    def state(self) -> object:
        # The server moves messages from `new` to `cur` by itself, when a folder is opened to be written to.
        return sorted(self.server.raw(self.account.user).items())
