import gzip
import socket
import threading
import time as real_time
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from regie_toy_site import Answer

from lib.web.connections import Connection
from lib.web.leash import Leash
from lib.web.options import WebOptions
from lib.web.outcomes import NotText, TooLarge, Unavailable

from .conftest import Open

JOB = "http://jobs.example/job"
MEGA = 1_000_000


def test_a_page_that_says_that_it_is_too_large_is_not_read(bench: Open) -> None:
    found = bench({"/job": Answer(b"x" * 30 * MEGA)}).outcome(JOB)
    assert isinstance(found, TooLarge)
    assert "30000000 bytes" in found.reason


def test_a_page_that_goes_on_is_cut_off(bench: Open) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += MEGA
            yield b"x" * MEGA

    assert isinstance(bench({"/job": Answer(pieces())}).outcome(JOB, wire_bytes=2 * MEGA), TooLarge)
    assert sent < 20 * MEGA


def packed(encoding: str, size: int) -> bytes:
    data = bytes(size)
    if encoding == "gzip":
        return gzip.compress(data)
    return zlib.compress(data) if encoding == "deflate" else zstandard.compress(data)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_defused(bench: Open, encoding: str) -> None:
    answer = Answer(packed(encoding, 50 * MEGA), headers={"Content-Encoding": encoding})
    found = bench({"/job": answer}).outcome(JOB, page_bytes=2 * MEGA)
    assert isinstance(found, TooLarge)
    assert "unpacked" in found.reason


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "compress", "nonsense" * 10])
def test_packings_that_were_not_asked_for_are_told(bench: Open, encoding: str) -> None:
    assert isinstance(bench({"/job": Answer("x", headers={"Content-Encoding": encoding})}).outcome(JOB), NotText)


def test_a_flood_of_headers_is_cut_off(bench: Open) -> None:
    def flood() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        while True:
            yield b"X-Water: " + b"w" * 1000 + b"\r\n"

    assert isinstance(bench({"/job": Answer(raw=flood())}).outcome(JOB), TooLarge)


def test_a_flood_of_preliminary_answers_is_cut_off(bench: Open) -> None:
    def flood() -> Iterator[bytes]:
        while True:
            yield b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100

    assert isinstance(bench({"/job": Answer(raw=flood())}).outcome(JOB), TooLarge)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\1\2\3" * 50,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/9.9 xyz\r\n\r\n",
    ],
)
def test_garbage_is_an_outcome_too(bench: Open, raw: bytes) -> None:
    assert isinstance(bench({"/job": Answer(raw=raw)}).outcome(JOB), Unavailable)


def test_a_silent_site_is_given_up(bench: Open) -> None:
    ready = bench({"/robots.txt": Answer(status=404), "/job": Answer("late", hold=threading.Event())})
    found = ready.outcome(JOB, read_seconds=0.2)
    assert isinstance(found, Unavailable)
    assert found.passing
    assert "does not answer" in found.reason


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_byte_at_a_time_does_not_take_for_ever(bench: Open, where: str) -> None:
    def drip() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n" + (b"" if where == "headers" else b"\r\n")
        while True:
            yield b"x"

    ready = bench({"/job": Answer(raw=drip(), pause=0.05)})
    begun = real_time.monotonic()
    found = ready.outcome(JOB, page_seconds=0.4)
    assert isinstance(found, Unavailable)
    assert found.passing
    assert "0.4 s" in found.reason
    assert real_time.monotonic() - begun < 3


def test_the_time_of_a_page_is_that_of_all_its_redirects(bench: Open) -> None:
    def onwards(n: int) -> Answer:
        head = f"HTTP/1.1 302 Found\r\nLocation: /{n + 1}\r\n".encode()
        return Answer(raw=[head, b"Content-Length: 0\r\n\r\n"], pause=0.15)

    found = bench({f"/{n}": onwards(n) for n in range(10)}).outcome("http://jobs.example/0", page_seconds=0.4)
    assert isinstance(found, Unavailable)
    assert "0.4 s" in found.reason


def test_a_page_that_never_pauses_is_given_up_too() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"x" * 100)
        leash = Leash(0, lambda: None)
        with leash.running(), pytest.raises(Unavailable, match="0 s"):
            Connection(ours, WebOptions()).read(1)
