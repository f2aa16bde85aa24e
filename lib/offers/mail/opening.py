"""Which mailbox is meant by what a person gives."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from lib.errors import InputError, UnavailableError
from lib.offers.mail.account import ImapAccount
from lib.offers.mail.base import Mailbox
from lib.offers.mail.folder import FolderMailbox
from lib.offers.mail.judging import SourceOf, known_sources
from lib.offers.mail.options import MailOptions

IMAP = "imap"


def open_mailbox(
    address: str, options: MailOptions, account: ImapAccount | None = None, source_of: SourceOf = known_sources
) -> Mailbox:
    """Return the mailbox of the account for `imap`, else that of a path or `file://` URL on this machine.

    Raises InputError when there is no mailbox at the path, and UnavailableError for `imap` without an account. The
    account is not tried yet.
    """
    if address == IMAP:
        if account is None:
            raise UnavailableError(
                "No IMAP account is set up: fill in the block `mailbox` (regie blocks set mailbox), or set IMAP_HOST, "
                "IMAP_USER and IMAP_PASSWORD."
            )
        from lib.offers.mail.imap import ImapMailbox

        return ImapMailbox(account, options, source_of)
    return FolderMailbox(_path(address), options, source_of)


def _path(address: str) -> Path:
    if not address or "\0" in address:
        raise InputError("Give a folder or file of messages, or `imap`.")
    if "://" not in address:
        return Path(address).expanduser()
    parts = urlsplit(address)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        raise InputError("A mailbox is `imap` (the account of the block), or a folder or file on this machine.")
    return Path(unquote(parts.path))
