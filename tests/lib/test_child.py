import os
import subprocess
import sys
import time

import psutil
import pytest

from lib.child import die_with_parent

linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of another system is not asked")


@linux
def test_a_program_ends_when_the_one_that_started_it_is_killed() -> None:
    program = "import time; print('up', flush=True); time.sleep(600)"
    parent = """
import os, subprocess, sys
started = subprocess.Popen([sys.executable, "-m", "lib.child", str(os.getpid()), *sys.argv[1:]])
print(started.pid, flush=True)
started.wait()
"""
    command = [sys.executable, "-c", parent, sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        lines = [killed.stdout.readline().strip() for _ in range(2)]
        assert "up" in lines
        child = psutil.Process(next(int(line) for line in lines if line != "up"))
        killed.kill()
    deadline = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "it outlives its parent"
        time.sleep(0.05)


def test_nothing_is_asked_of_the_kernel_of_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    die_with_parent(1)


@linux
def test_a_program_whose_parent_has_died_already_does_not_start() -> None:
    stranger = os.getppid()
    command = [sys.executable, "-m", "lib.child", str(stranger), sys.executable, "-c", "print('up')"]
    late = subprocess.run(command, capture_output=True, check=False)
    assert (late.returncode, late.stdout) == (1, b"")
