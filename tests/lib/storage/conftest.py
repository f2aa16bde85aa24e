"""Storage as a test sees it: a folder, and a bucket of a server that speaks S3 on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from lib.storage import Remote, connect


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Give the address of a server that speaks S3."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of a new bucket, reached as an environment says."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key of a test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret of a test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    bucket = f"rushes-{uuid4().hex}"
    s3fs.S3FileSystem().mkdir(bucket)
    return f"s3://{bucket}"


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
