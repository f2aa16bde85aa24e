"""Storage as a test sees it: a folder, and a bucket."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from lib.storage import Remote, connect


@pytest.fixture(params=["file", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """Give an empty folder in each kind of storage."""
    if request.param == "file":
        return connect(f"file://{tmp_path}/storage/work")
    return connect(f"{request.getfixturevalue('s3')}/work")


@pytest.fixture
def put(remote: Remote, tmp_path: Path) -> Callable[[str, bytes], None]:
    """Give a function that writes an object as somebody else would."""

    def write(name: str, content: bytes) -> None:
        file = tmp_path / f"put-{uuid4().hex}"
        file.write_bytes(content)
        remote.put(name, file, lambda _count: None)
        file.unlink()

    return write
