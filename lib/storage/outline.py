"""What is in storage, to look at: names and places, and the content of a few files."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from lib.storage.names import is_marker, refusals
from lib.storage.remote import Remote


@contextlib.contextmanager
def outlined(remote: Remote, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """Give a temporary folder with every file of the storage, empty but for those whose names are `wanted`."""
    with tempfile.TemporaryDirectory(prefix="regie-") as place:
        folder = Path(place)
        objects = remote.list()
        refused = refusals(objects)
        for name in objects:
            if name in refused or is_marker(name):
                continue
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(remote.read(name) if wanted(name) else b"")
        yield folder
