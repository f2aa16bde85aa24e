"""What went wrong with storage, in words that hold no secret."""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.storage.address import protocol_of

LONGEST = 300
"""Characters of a storage's own words that are repeated."""
SHORTEST = 4
"""Characters of a text that may be a secret; a shorter one is part of too many words."""
_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_QUERY = re.compile(r"(://[^\s?]*)\?[^\s'\"]*")
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def why(error: Exception, url: str, options: Mapping[str, Any]) -> str | None:
    """Return what went wrong at a URL and what to do; None for what is no matter of storage.

    `options` are fsspec's storage options that were given for it.
    """
    import fsspec

    name, protocol = type(error).__name__, protocol_of(url)
    if isinstance(error, ImportError):
        return (
            f"the package for {protocol}:// is not installed ({error.name or error}). Install it in every environment."
        )
    if isinstance(error, ValueError) and protocol not in fsspec.available_protocols():
        return f"no storage is known by {protocol}://. Give a URL such as s3://bucket/folder."
    if isinstance(error, PermissionError):
        return "access is refused. Check the credentials and what they allow (`regie blocks check storage`)."
    if isinstance(error, FileNotFoundError):
        return "there is no such bucket, folder or object. Check the URL."
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return (
            "the disk of Régie's home, where it is mirrored, is full. Free some space, or move Régie's home to another "
            "disk, and run again: what was handed over is kept."
        )
    if "Credentials" in name or name == "TokenRetrievalError":
        return (
            "there are no credentials, or only some of them. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for every "
            "worker, or register the block for storage with both keys."
        )
    if isinstance(error, TimeoutError | ConnectionError) or "Connect" in name or "Timeout" in name:
        where = f"at {options['endpoint_url']}" if options.get("endpoint_url") else "there"
        return (
            f"nothing answers {where}. Check the endpoint and the network, and run again: what was handed over is kept."
        )
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in {"botocore", "aiobotocore", "aiohttp"}:
        return scrubbed(str(error), options) or name
    return None


def scrubbed(text: str, options: Mapping[str, Any]) -> str:
    """Return somebody else's words in one line, without what `options` and the environment keep secret.

    Nor with the query of a URL, which may be signed.
    """
    secrets = {*_texts(options), *(os.environ.get(name, "") for name in _SECRET_VARIABLES)}
    for secret in sorted((each for each in secrets if len(each) >= SHORTEST), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _QUERY.sub(r"\1?***", " ".join(text.split()))[:LONGEST]


def _texts(options: Mapping[str, Any]) -> Iterator[str]:
    for value in options.values():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value
