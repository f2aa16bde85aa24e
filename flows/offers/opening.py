"""What a run of `offers` works with, opened with the credentials of environment variables or blocks."""

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from blocks.airtable import Airtable
from blocks.documents import in_use
from blocks.mailbox import Mailbox as MailAccount
from lib.errors import InputError, UnavailableError
from lib.offers.mail.base import Mailbox
from lib.offers.options import OffersOptions
from lib.offers.stores.base import Store

AIRTABLE = "airtable"
IMAP = "imap"


def open_store(address: str, options: OffersOptions) -> Store:
    """Open the store at an address: a SQLite file, or `airtable` for the base that the settings name.

    Raises UnavailableError when its credentials are missing, InputError when there is no such store.
    """
    if address == AIRTABLE:
        found = in_use(Airtable)
        if found is None:
            raise UnavailableError(
                "There is no token for Airtable: set AIRTABLE_API_KEY, or fill in the block: regie blocks set airtable"
            )
        from lib.offers.stores.airtable import AirtableStore

        return AirtableStore(options.store, found[0].token.get_secret_value(), found[0].endpoint)
    from lib.offers.stores.sqlite import SqliteStore

    return SqliteStore(_path(address), options.store)


def open_mail(address: str, options: OffersOptions) -> Mailbox:
    """Open the mailbox at an address: a folder or file, or `imap` for the account of the block; errors as above."""
    from lib.offers.alerts.registry import source_of
    from lib.offers.mail.opening import open_mailbox

    known = partial(source_of, others=options.alerts.senders)
    if address != IMAP:
        return open_mailbox(address, options.mail, None, known)
    found = in_use(MailAccount)
    if found is None:
        raise UnavailableError(
            "There is no account for the mailbox: set IMAP_HOST, IMAP_USER and IMAP_PASSWORD, or fill in the block: "
            "regie blocks set mailbox"
        )
    return open_mailbox(address, options.mail, found[0].account(), known)


def _path(address: str) -> Path:
    url = urlsplit(address)
    if "://" not in address:
        return Path(address)
    if url.scheme in {"sqlite", "file"} and not url.netloc and url.path.startswith("/"):
        return Path(url.path)
    raise InputError(f"There is no store {address}: give a SQLite file, sqlite:///path/offers.db, or `{AIRTABLE}`.")
