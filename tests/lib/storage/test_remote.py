"""What goes wrong with storage is said in words: what, where, and what to do."""

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.storage import Remote, connect

QUICK = {"config_kwargs": {"connect_timeout": 1, "read_timeout": 5, "retries": {"max_attempts": 1}}}
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "film"
    path.write_bytes(b"film")
    return path


@pytest.fixture
def denying() -> Iterator[str]:
    """Give the address of a server that allows nothing."""

    class Deny(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(403)
            self.send_header("Content-Length", str(len(DENIED)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(DENIED)

        do_HEAD = do_PUT = do_GET  # noqa: N815  # names that the server looks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Deny)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_bucket_that_is_not_there(s3: str, file: Path) -> None:
    nowhere = connect("s3://there-is-no-such-bucket/work", QUICK)
    for ask in asks(nowhere, file):
        with pytest.raises(InputError, match=r"^s3://there-is-no-such-bucket/work.*: there is no such bucket"):
            ask()


def test_access_is_refused(s3: str, denying: str, file: Path) -> None:
    closed = connect("s3://closed/work", {"endpoint_url": denying, **QUICK})
    for ask in asks(closed, file):
        with pytest.raises(InputError, match=r"^s3://closed/work.*: access is refused"):
            ask()


def test_an_endpoint_that_does_not_answer(s3: str, file: Path) -> None:
    away = connect("s3://away/work", {"endpoint_url": "http://127.0.0.1:9", **QUICK})
    for ask in asks(away, file):
        with pytest.raises(InputError, match=r"^s3://away/work.*: nothing answers at http://127\.0\.0\.1:9\."):
            ask()


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError, match="no credentials"):
        connect("s3://bucket/work", {**QUICK, "skip_instance_cache": True}).put("film", file, lambda _count: None)


@pytest.mark.parametrize("url", ["nothing://bucket/x", "gs://bucket/x"])
def test_storage_that_is_not_known_here(url: str) -> None:
    with pytest.raises(InputError, match=r"(no storage is known|is not installed)"):
        connect(url)


def test_a_killed_writer_leaves_nothing_that_counts(tmp_path: Path) -> None:
    (tmp_path / "work/folder").mkdir(parents=True)
    (tmp_path / "work/folder/.0123456789ab.regie-tmp").write_bytes(b"half")
    remote = connect(f"file://{tmp_path}/work")
    remote.sweep()
    assert remote.list() == {}


def test_an_object_is_large_or_small(remote: Remote, tmp_path: Path) -> None:
    large = os.urandom(40 << 20)
    (tmp_path / "large").write_bytes(large)
    moved: list[int] = []
    there = remote.put("a/large", tmp_path / "large", moved.append)
    assert there.size == len(large)
    assert sum(moved) in {0, len(large)}, "a disk does not tell while it copies"
    got = remote.get("a/large", tmp_path / "back", there, lambda _count: None)
    assert got == there
    assert (tmp_path / "back").read_bytes() == large


def test_an_object_that_is_replaced_while_it_is_fetched_is_fetched_whole(
    remote: Remote, put: Callable[[str, bytes], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("film", b"0")
    seen = remote.list()["film"]
    fetch, replacements = remote._fs.get_file, iter([b"11", b"22", b"33"])

    def meanwhile(*args: object, **more: object) -> None:
        fetch(*args, **more)
        if (content := next(replacements, None)) is not None:
            put("film", content)

    monkeypatch.setattr(remote._fs, "get_file", meanwhile)
    got = remote.get("film", tmp_path / "got", seen, lambda _count: None)
    assert (tmp_path / "got").read_bytes() == b"33"
    assert got.version == remote.list()["film"].version
    replacements = iter(bytes([65 + number]) for number in range(100))
    with pytest.raises(InputError, match="changes while it is fetched"):
        remote.get("film", tmp_path / "got", got, lambda _count: None)


def test_what_storage_says_is_repeated_without_secrets(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = connect(f"{s3}/work", {**QUICK, "client_kwargs": {"aws_session_token": "canary-1"}})

    def fail(*_args: object, **_more: object) -> None:
        raise OSError(f"canary-1,\n{os.environ['AWS_SECRET_ACCESS_KEY']}: https://host/x?Signature=canary-2 says no")

    monkeypatch.setattr(remote._fs, "cat_file", fail)
    with pytest.raises(InputError, match=r"could not be read: \*\*\*, \*\*\*: https://host/x\?\*\*\* says no$"):
        remote.read("film")


def asks(remote: Remote, file: Path) -> list[Callable[[], object]]:
    return [remote.list, lambda: remote.put("film", file, lambda _count: None), lambda: remote.read("film")]
