"""What a run of `offers` works on when it is not told."""

from pathlib import Path
from typing import Any

from lib.settings import Settings
from lib.storage.address import is_url

IMAP, AIRTABLE = "imap", "airtable"
SERVICES = frozenset({IMAP, AIRTABLE})
"""What stands for the account of a block in place of a path."""


def parameters(config: Settings) -> dict[str, Any]:
    """Return the parameters of a run that is started with none, as the settings say; of the options, those changed."""
    folder = config.home / "offers"
    return {
        "mail": place(config.mailbox) or str(folder / "mail"),
        "store": place(config.offer_store) or str(folder / "offers.db"),
        "profile": place(config.seeker) or str(folder / "profile.toml"),
        "options": config.offers.model_dump(mode="json", exclude_defaults=True),
    }


def place(text: str) -> str:
    """Return a path that means the same to a process that starts in another folder; anything else as it is."""
    return text if text in {"", *SERVICES} or is_url(text) else str(Path(text).expanduser().absolute())
