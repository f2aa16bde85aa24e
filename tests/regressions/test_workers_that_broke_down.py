"""When the workers were killed (by a machine out of memory, say), runs waited for them for ever."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deployments.stack import Stack
from lib.errors import InputError


def test_a_process_of_the_stack_that_broke_down_is_said_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "workers.log"
    log.write_text("No memory is left\n")
    program = "import os, signal, sys; sys.stdin.read(); os.kill(os.getpid(), signal.SIGKILL)"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as workers:
        stack = Stack("http://127.0.0.1:1/api", "http://127.0.0.1:1", own=True, processes={log: workers})
        stack.check()
        workers.communicate()
        with pytest.raises(InputError, match=r"(?s)the workers broke down.*No memory is left"):
            stack.check()


def test_regie_up_ends_when_its_workers_are_killed(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-c", "from deployments.cli import main; main()", "up", "--port", port]
    variables = {**kept, "REGIE_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as up:
        try:
            said = iter(up.stderr or ())
            assert any("Régie is up" in line for line in said)
            children = psutil.Process(up.pid).children()
            [workers] = [child for child in children if "deployments.workers" in child.cmdline()]
            workers.kill()
            deadline = time.monotonic() + 30
            rest = "".join(said)
            assert time.monotonic() < deadline
            assert "The process of the workers broke down" in rest
            assert up.wait(30) == 1
            assert not any(child.is_running() for child in children)
        finally:
            up.kill()
