"""When the workers were killed (by a machine out of memory, say), runs waited for them for ever."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from regie_toy_holder import until

from deployments.supervision import RESTARTS, Supervisor
from lib.errors import InputError

KILLED = "import os, signal; print('No memory is left', flush=True); os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervised = Supervisor(os.environ, tmp_path, said.append)
    yield supervised
    supervised.end()
    assert all(process.poll() is not None for process in supervised.processes.values())


def refusal(check: Callable[[], None]) -> str:
    try:
        check()
    except InputError as error:
        return str(error)
    return ""


def test_a_process_that_breaks_down_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    first = supervisor.start("workers", ["-c", "import time; time.sleep(600)"])
    first.kill()
    until(lambda: supervisor.processes["workers"].pid != first.pid)
    until(lambda: said)
    assert said == ["The process of the workers ended by signal SIGKILL: it is started again."]
    supervisor.check()
    assert supervisor.processes["workers"].poll() is None


def test_a_process_that_breaks_down_again_and_again_is_said_with_its_last_words(
    supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start("workers", ["-c", KILLED])
    words = until(lambda: refusal(supervisor.check))
    assert "the workers broke down (by signal SIGKILL)" in words
    assert "No memory is left" in words
    assert len(said) == RESTARTS


def test_a_process_that_cannot_be_started_again_is_said_and_the_others_are_looked_after(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    other = supervisor.start("server", ["-c", "import time; time.sleep(600)"])
    broken = supervisor.start("workers", ["-c", "import time; time.sleep(600)"])
    (tmp_path / "workers.log").unlink()
    (tmp_path / "workers.log").mkdir()
    broken.kill()
    assert "the workers cannot be started again" in until(lambda: refusal(supervisor.check))
    other.kill()
    until(lambda: supervisor.processes["server"].pid != other.pid)


def test_what_is_not_vital_is_done_without(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start("console", ["-c", "import sys; sys.exit('its port is taken')"], vital=False)
    until(lambda: len(said) == RESTARTS + 1)
    assert "goes on without it" in said[-1]
    assert "its port is taken" in said[-1]
    supervisor.check()


def test_regie_up_starts_its_workers_again_and_ends_in_words_without_a_server(
    tmp_path: Path, make_home: Callable[[Path], Path]
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
    with socket.socket() as free, socket.socket() as other:
        for each in (free, other):
            each.bind(("127.0.0.1", 0))
        port, console = (str(each.getsockname()[1]) for each in (free, other))
    command = [sys.executable, "-c", "from deployments.cli import main; main()", "up", "--port", port]
    variables = {**kept, "REGIE_HOME": str(make_home(tmp_path / "home")), "REGIE_CONSOLE_PORT": console}

    def child(word: str) -> psutil.Process:
        return next(each for each in psutil.Process(up.pid).children() if word in each.cmdline())

    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as up:
        try:
            said = iter(up.stderr or ())
            assert any("Régie is up" in line for line in said)
            killed = child("deployments.workers")
            killed.kill()
            assert any("workers ended by signal SIGKILL: it is started again" in line for line in said)
            assert until(lambda: child("deployments.workers")).pid != killed.pid
            children = psutil.Process(up.pid).children()
            child("server").kill()
            assert "The process of the server broke down" in "".join(said)
            assert up.wait(30) == 1
            assert not any(each.is_running() for each in children)
        finally:
            up.kill()
