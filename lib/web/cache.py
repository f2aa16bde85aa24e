"""Pages that were fetched before, kept to ask sites only whether they changed."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import zstandard

from lib.files import TEMPORARY_SUFFIX, replacing

CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
"""What a site says of a version of a page, and how it is asked whether that is still the one."""
MOST_BYTES = 500_000_000
"""Size beyond which the pages that were not used for longest go."""


@dataclass(frozen=True)
class Kept:
    """A page as it was: its headers by names in lower case, and its body, unpacked."""

    headers: dict[str, str]
    body: bytes

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for the page only if it is another by now."""
        found = {asked: self.headers.get(said, "") for said, asked in CONDITIONS.items()}
        return {name: value for name, value in found.items() if value and is_sendable(value)}


def is_sendable(value: str) -> bool:
    """Return whether what a site said may be said back to it in a header."""
    return value.isascii() and value.isprintable()


class Cache:
    """A folder of pages by their address; used by any number of threads and processes."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep(most)

    def find(self, address: str) -> Kept | None:
        """Return the page of an address; None when there is none, or none that can be read."""
        path = self._path(address)
        try:
            head, _, packed = path.read_bytes().partition(b"\n")
            kept = orjson.loads(head)
            body = zstandard.ZstdDecompressor().decompress(packed, max_output_size=int(kept["size"]))
            path.touch()
            return Kept({str(name): str(value) for name, value in kept["headers"].items()}, body)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zstandard.ZstdError):
            return None

    def keep(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep a page, unless its site gave no way to ask about it again; a full disk is no reason to fail."""
        if not any(headers.get(name) for name in CONDITIONS):
            return
        head = orjson.dumps({"headers": dict(headers), "size": len(body)})
        with suppress(OSError), replacing(self._path(address)) as path:
            path.write_bytes(head + b"\n" + zstandard.compress(body))

    def _path(self, address: str) -> Path:
        return self._folder / hashlib.sha256(address.encode()).hexdigest()

    def _sweep(self, most: int) -> None:
        """Remove what is too much."""
        files = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                if not path.name.endswith(TEMPORARY_SUFFIX):
                    files.append((path.stat().st_mtime, path.stat().st_size, path))
        for _, size, path in sorted(files, reverse=True):
            most -= size
            if most < 0:
                path.unlink(missing_ok=True)
