"""Folders in storage elsewhere (S3, …): mirrored here while somebody works on them, and held by one run at a time."""

from lib.storage.address import below, checked, is_url
from lib.storage.hold import held
from lib.storage.mirror import Mirror
from lib.storage.outline import outlined
from lib.storage.remote import Remote, connect

__all__ = ["Mirror", "Remote", "below", "checked", "connect", "held", "is_url", "outlined"]
