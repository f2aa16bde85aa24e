"""URLs of folders and files in storage."""

from urllib.parse import urlsplit

from lib.errors import InputError

WEB = frozenset({"http", "https"})


def is_url(place: str) -> bool:
    """Whether a text is a URL; a path otherwise."""
    return "://" in place


def protocol_of(url: str) -> str:
    """Return the kind of storage that a URL names: `s3`, `gs`, …; of a path nothing."""
    return url.partition("://")[0] if is_url(url) else ""


def checked(url: str) -> str:
    """Return a URL without a slash at its end; InputError when it is none that a run can be given.

    Not with a password or, on the web, a query, which may be a signature, for a URL is shown and kept; not a chain
    (`zip::s3://…`), nor one that leads upwards. The message repeats nothing of the URL, which may hold the password.
    """
    if "@" in urlsplit(url).netloc:
        raise InputError(
            "A password has no place in a URL, which is shown and kept: give the URL without it, and the credentials "
            "by environment variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or by the block for storage."
        )
    protocol, _, path = url.partition("://")
    if protocol in WEB and ("?" in path or "#" in path):
        raise InputError(
            "A query has no place in a URL, which is shown and kept, for it may be a signature. Give the URL of the "
            "storage itself, such as s3://bucket/folder, and the credentials by environment variables or by the block."
        )
    name = path.strip("/")
    if not protocol.isalnum() or not protocol.islower() or not url.isprintable():
        raise InputError("This is no URL of storage. Give one such as s3://bucket/folder.")
    if not name or any(part in {"", ".", ".."} for part in name.split("/")):
        raise InputError(
            "This URL leads nowhere. Give one such as s3://bucket/folder, without `//`, `.` or `..` in it."
        )
    if protocol == "file" and not path.startswith("/"):
        raise InputError("A file:// URL has three slashes: file:///folder.")
    return url.rstrip("/")


def below(url: str, name: str) -> str:
    """Return the URL of what has this name (with slashes between its parts) in the folder at `url`."""
    return f"{url}/{name}" if name else url


def name_of(url: str) -> str:
    """Return the last part of a URL."""
    return url.rpartition("/")[2]


def folder_of(url: str) -> str:
    """Return the URL of the folder that a URL lies in; of a bucket, its own."""
    folder = url.rpartition("/")[0]
    return url if folder.endswith(("/", ":")) else folder
