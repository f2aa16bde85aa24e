"""A folder of an IMAP mailbox: audited by the heads of its unread messages, in few commands whatever their number."""

import imaplib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from imap_tools.errors import UnexpectedCommandStatusError
from imap_tools.utils import check_command_status, encode_folder

from lib.errors import InputError
from lib.offers.mail.account import ImapAccount
from lib.offers.mail.base import Doubt, Envelope, MessageGoneError
from lib.offers.mail.connection import Connection
from lib.offers.mail.files import bounded
from lib.offers.mail.heading import FIELD_BYTES, Heading, read_heading
from lib.offers.mail.judging import SourceOf, judge, known_sources, oldest_first
from lib.offers.mail.options import MailOptions

BATCH = 500
"""Messages in one command: a line of some 5,000 bytes, where servers take 8,000."""
SENDER = ("FROM",)
HEAD = ("FROM", "SUBJECT", "DATE", "AUTHENTICATION-RESULTS")


class ImapMailbox:
    """The folder of the options in the mailbox of an account; nothing is asked before it is needed."""

    def __init__(self, account: ImapAccount, options: MailOptions, source_of: SourceOf = known_sources) -> None:
        self.doubts: list[Doubt] = []
        self._options = options
        self._source_of = source_of
        self._limit = int(options.message_limit_mb * 1e6)
        if not f"{options.folder}{options.moved_to}".isprintable():
            raise InputError("The name of a folder of the mailbox has no line breaks.")
        if options.afterwards == "move" and options.moved_to == options.folder:
            raise InputError("Imported messages cannot be moved to the folder that they are in (`mail.moved_to`).")
        self._connection = Connection(account, options.folder, options.timeout, self._limit + 1024)

    @property
    def name(self) -> str:
        """Server and folder."""
        return f"IMAP {self._connection.account.host}/{self._options.folder}"

    def audit(self) -> list[Envelope]:
        """Ask for the senders of all unread messages, then for the heads of those that may be alerts."""
        judged = self._connection(self._judged)
        self.doubts = [each for each in judged if isinstance(each, Doubt)]
        return oldest_first(each for each in judged if isinstance(each, Envelope))

    def fetch(self, envelope: Envelope) -> bytes:
        """Download a message, which stays unread; one that is too large is not."""
        bounded(b"", self._limit, envelope.size)

        def download(client: imaplib.IMAP4, validity: str) -> bytes:
            was, _, uid = envelope.id.partition(":")
            if was == validity:
                # No more than is taken, should the server have said a wrong size.
                for answer in _fetched(client, uid, f"(UID BODY.PEEK[]<0.{self._limit + 1}>)"):
                    if answer.uid == uid and answer.literals:
                        return bounded(answer.literals[0], self._limit)
            raise MessageGoneError(envelope.id)

        return self._connection(download)

    def handled(self, envelopes: Sequence[Envelope]) -> None:
        """Flag messages as read, or move them; those of a mailbox that was made anew are gone."""

        def mark(client: imaplib.IMAP4, validity: str) -> None:
            ids = (envelope.id.partition(":") for envelope in envelopes)
            for uids in _batches([uid for was, _, uid in ids if was == validity]):
                if self._options.afterwards == "flag":
                    _checked(client.uid("STORE", uids, "+FLAGS.SILENT", r"(\Seen)"))
                elif there := _search(client, f"UID {uids}"):
                    self._move(client, ",".join(there))

        if envelopes:
            self._connection(mark, writing=True)

    def close(self) -> None:
        """Log out."""
        self._connection.close()

    def try_out(self) -> int:
        """Log in, open the folder and return how many messages are in it; raises UnavailableError."""
        return self._connection(lambda client, validity: self._connection.count)

    def _judged(self, client: imaplib.IMAP4, validity: str) -> list[Envelope | Doubt]:
        client.noop()  # has the server look for messages that came since the folder was opened
        # Most unread messages are no alerts: of those, no more than the sender is asked for.
        maybe = [
            uid
            for uid, heading, _ in _heads(client, _search(client, "UNSEEN UNDELETED"), SENDER)
            if any(map(self._source_of, heading.senders))
        ]
        judged = (
            judge(f"{validity}:{uid}", heading, size, self._source_of)
            for uid, heading, size in _heads(client, maybe, HEAD)
        )
        return [each for each in judged if each]

    def _move(self, client: imaplib.IMAP4, uids: str) -> None:
        """Move messages by the server's own command, or copy them and delete those that were copied and no others."""
        target = encode_folder(self._options.moved_to).decode("ascii")
        abilities = self._connection.abilities
        command = "MOVE" if "MOVE" in abilities else "COPY"
        answer = client.uid(command, uids, target)
        if answer[0] == "NO":
            client.create(target)
            answer = client.uid(command, uids, target)
        _checked(answer)
        if command == "COPY":
            _checked(client.uid("STORE", uids, "+FLAGS.SILENT", r"(\Seen \Deleted)"))
            if "UIDPLUS" in abilities:  # without it, what anybody deleted would go with them
                _checked(client.uid("EXPUNGE", uids))


@dataclass(frozen=True)
class _Answer:
    """What a server says of one message."""

    said: bytes
    literals: list[bytes]

    @property
    def uid(self) -> str:
        found = re.search(rb"\bUID (\d+)", self.said)
        return found[1].decode() if found else ""

    @property
    def size(self) -> int:
        found = re.search(rb"\bRFC822\.SIZE (\d{1,18})", self.said)
        return int(found[1]) if found else 0


def _heads(client: imaplib.IMAP4, uids: list[str], names: Sequence[str]) -> Iterator[tuple[str, Heading, int]]:
    """Give uid, some fields of the head and size of messages; each field is cut by the server, however long it is."""
    fields = " ".join(f"BODY.PEEK[HEADER.FIELDS ({name})]<0.{2 * FIELD_BYTES}>" for name in names)
    for batch in _batches(uids):
        for answer in _fetched(client, batch, f"(UID RFC822.SIZE {fields})"):
            if answer.uid and answer.literals:
                heading = Heading()
                for each in answer.literals:
                    heading.fields |= read_heading(BytesIO(each)).fields
                yield answer.uid, heading, answer.size


def _fetched(client: imaplib.IMAP4, uids: str, items: str) -> Iterator[_Answer]:
    """Give the answers to a command, each with its pieces in the order in which they came."""
    said, literals = b"", list[bytes]()
    for piece in _checked(client.uid("FETCH", uids, items)):
        text, literal = piece if isinstance(piece, tuple) else (piece or b"", None)
        if re.match(rb"\d+ \(", text) and said:
            yield _Answer(said, literals)
            said, literals = b"", []
        said += text
        if literal is not None:
            literals.append(literal)
    if said:
        yield _Answer(said, literals)


def _search(client: imaplib.IMAP4, criteria: str) -> list[str]:
    found = _checked(client.uid("SEARCH", criteria))
    return [uid.decode("ascii") for each in found if each for uid in each.split() if uid.isdigit()]


def _batches(uids: list[str]) -> Iterator[str]:
    for start in range(0, len(uids), BATCH):
        yield ",".join(uids[start : start + BATCH])


def _checked(answer: tuple[str, list]) -> list:  # type: ignore[type-arg]  # whatever imaplib gives
    check_command_status(answer, UnexpectedCommandStatusError)
    return answer[1]
