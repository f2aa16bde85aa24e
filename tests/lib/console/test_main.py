"""`python -m lib.console` as a process: what it refuses, in words, and how it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

TOKEN = "correct-horse-battery-staple"


@contextlib.contextmanager
def started(**variables: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the console; end it when it is still there."""
    clean = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    environment = {name: value for name, value in {**os.environ, **clean, **variables}.items() if value}
    command = [sys.executable, "-m", "lib.console"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def refusal(**variables: str) -> str:
    """Return what the console says when it does not start."""
    with started(**variables) as process:
        assert process.wait(60) == 1
        assert process.stderr is not None
        return process.stderr.read()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "studio.example"])
def test_where_others_reach_it_a_token_is_needed(host: str) -> None:
    words = refusal(REGIE_CONSOLE_HOST=host)
    assert "needs a token" in words
    assert "REGIE_CONSOLE_TOKEN" in words
    assert "Traceback" not in words


def test_a_weak_token_is_refused_and_not_repeated() -> None:
    words = refusal(REGIE_CONSOLE_HOST="0.0.0.0", REGIE_CONSOLE_TOKEN="hunter2")
    assert "at least 16 characters" in words
    assert "hunter2" not in words


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = refusal(REGIE_CONSOLE_PORT=str(port))
    assert f"Port {port} is taken by process {os.getpid()} (" in words
    assert "REGIE_CONSOLE_PORT=" in words
    assert "Traceback" not in words


def test_an_address_that_is_not_this_machines_is_said() -> None:
    words = refusal(REGIE_CONSOLE_HOST="192.0.2.1", REGIE_CONSOLE_TOKEN=TOKEN)
    assert "cannot listen on 192.0.2.1" in words
    assert TOKEN not in words


def test_without_a_prefect_server_it_is_said_what_starts_one() -> None:
    assert "regie up" in refusal(PREFECT_API_URL="")


def test_prefect_is_imported_only_once_it_was_told_not_to_try_again_and_again() -> None:
    code = "import sys, lib.console.__main__; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_ends_at_once_when_told_to_though_somebody_listens() -> None:
    port = free_port()
    with started(REGIE_CONSOLE_PORT=str(port)) as process:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{address}/api/v1/workflows")
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with httpx.stream("GET", f"{address}/api/v1/events?topics=system", timeout=30) as stream:
            lines = stream.iter_lines()
            assert next(lines)
            process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            list(lines)  # to their end, which is an orderly one
        process.wait(30)
        assert time.monotonic() - told < 10, "the graceful time is for answers, not for streams"
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
