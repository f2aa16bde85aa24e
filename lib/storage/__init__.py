"""Folders in storage elsewhere (S3, …): mirrored here while somebody works on them, and held by one run at a time."""

from lib.storage.address import below, checked, folder_of, is_url, name_of
from lib.storage.hold import held
from lib.storage.mirror import Mirror, TooMuchError, trim
from lib.storage.outline import outlined
from lib.storage.remote import Remote, connect

__all__ = [
    "Mirror",
    "Remote",
    "TooMuchError",
    "below",
    "checked",
    "connect",
    "folder_of",
    "held",
    "is_url",
    "name_of",
    "outlined",
    "trim",
]
