import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import ports
from lib.errors import InputError
from lib.ports import another, holder, listen_on


def test_a_free_port_is_found_and_listened_on() -> None:
    with listen_on("127.0.0.1", 0, "REGIE_SERVER_PORT") as listening:
        with socket.create_connection(listening.getsockname(), timeout=10):
            pass
        assert f"process {os.getpid()} (" in holder(listening.getsockname()[1])


def test_who_has_a_port_and_what_gives_another_one_is_said() -> None:
    with listen_on("127.0.0.1", 0, "REGIE_SERVER_PORT") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            InputError, match=rf"Port {port} is taken by process {os.getpid()} .*: REGIE_SERVER_PORT={another(port)}$"
        ):
            listen_on("127.0.0.1", port, "REGIE_SERVER_PORT")


def test_a_port_that_is_given_back_in_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PATIENCE_SECONDS", 60)
    with ThreadPoolExecutor() as threads:
        with listen_on("127.0.0.1", 0, "REGIE_SERVER_PORT") as taken:
            port = taken.getsockname()[1]
            waiting = threads.submit(listen_on, "127.0.0.1", port, "REGIE_SERVER_PORT")
        with waiting.result(60) as listening:
            assert listening.getsockname()[1] == port


def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(InputError, match=r"cannot listen on 192\.0\.2\.1, port 8321 \(REGIE_CONSOLE_PORT\): "):
        listen_on("192.0.2.1", 8321, "REGIE_CONSOLE_PORT")


def test_a_port_that_nobody_has_is_that_of_another_program_by_now() -> None:
    with listen_on("127.0.0.1", 0, "REGIE_SERVER_PORT") as listening:
        port = listening.getsockname()[1]
    assert holder(port) == "another program"


@given(st.integers(1, 2**16 - 1))
def test_the_port_that_is_proposed_is_another_one(port: int) -> None:
    assert another(port) != port
    assert 1 <= another(port) < 2**16
