"""Folders in storage elsewhere (S3, …): mirrored here while somebody works on them, and held by one run at a time."""

from lib.storage.address import below, checked, folder_of, is_url, name_of, protocol_of
from lib.storage.hold import TakenOverError, held, require_not_taken_over
from lib.storage.mirror import Mirror, TooMuchError, trim
from lib.storage.outline import outlined
from lib.storage.remote import S3, Remote, connect
from lib.storage.trouble import scrubbed, why

__all__ = [
    "S3",
    "Mirror",
    "Remote",
    "TakenOverError",
    "TooMuchError",
    "below",
    "checked",
    "connect",
    "folder_of",
    "held",
    "is_url",
    "name_of",
    "outlined",
    "protocol_of",
    "require_not_taken_over",
    "scrubbed",
    "trim",
    "why",
]
