"""What a run of `offers` works with, opened with the credentials of environment variables or blocks."""

import hashlib
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from blocks.airtable import Airtable
from blocks.documents import in_use
from blocks.mailbox import Mailbox as MailAccount
from lib.errors import InputError, UnavailableError
from lib.offers.defaults import AIRTABLE, IMAP
from lib.offers.mail.base import Mailbox
from lib.offers.options import OffersOptions
from lib.offers.stores.base import Store


def open_store(address: str, options: OffersOptions, *, must_exist: bool = False) -> Store:
    """Open the store at an address: a SQLite file, or `airtable` for the base that the settings name.

    A file that is not there is made, unless it `must_exist`.

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

    return SqliteStore(_path(address), options.store, must_exist=must_exist)


def digest(address: str, options: OffersOptions) -> str:
    """Return what tells a store from others in a name."""
    airtable = options.store.airtable
    told = f"{airtable.base}/{airtable.table}" if address == AIRTABLE else str(_path(address).resolve())
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:16]


def open_mail(address: str, options: OffersOptions) -> Mailbox:
    """Open the mailbox at an address: a folder or file, or `imap` for the account of the block; errors as above."""
    from lib.offers.alerts.registry import source_of
    from lib.offers.mail.opening import open_mailbox

    known = partial(source_of, others=options.alerts.senders)
    if address != IMAP:
        return open_mailbox(address, options.mail, None, known)
    found = in_use(MailAccount)
    return open_mailbox(address, options.mail, found[0].account() if found else None, known)


def _path(address: str) -> Path:
    url = urlsplit(address)
    if "://" not in address:
        return Path(address).expanduser()
    if url.scheme in {"sqlite", "file"} and not url.netloc and url.path.startswith("/"):
        return Path(url.path)
    raise InputError(f"There is no store {address}: give a SQLite file, sqlite:///path/offers.db, or `{AIRTABLE}`.")
