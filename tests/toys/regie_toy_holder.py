"""What tests of stacks share: a process that holds one, the processes of a home, waiting for what is to become true."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import psutil

TOYS = Path(__file__).parent


def shared(seconds: float) -> float:
    """Return how long something may take here that takes so long at most where nothing else is at work.

    Where more processes want to work than there are processors, each gets its share.
    """
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def until(true: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait for something to become true, so long where nothing else is at work, and return it."""
    deadline = time.monotonic() + shared(seconds)
    while not (value := true()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)
    return value


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that works for a home of Régie, whoever started it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("REGIE_HOME") == str(home):
                found.append(process)
    return found


@contextlib.contextmanager
def cleaned(home: Path) -> Iterator[None]:
    """End whatever a test that failed leaves running."""
    try:
        yield
    finally:
        for process in processes_of(home):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@contextlib.contextmanager
def leaving(home: Path) -> Iterator[Callable[[], None]]:
    """Stand for an owner that is about to leave; give what makes it leave once another has begun to wait for it."""
    with (home / "run" / "stack.lock").open("a") as owner, (home / "run" / "users.lock").open("a") as users:
        fcntl.flock(owner, fcntl.LOCK_EX)

        def someone_waits() -> bool:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            fcntl.flock(users, fcntl.LOCK_UN)
            return False

        def leave() -> None:
            until(someone_waits)
            fcntl.flock(owner, fcntl.LOCK_UN)

        yield leave


def variables_of(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that works for a home of Régie and knows the toys."""
    environments = home.parent / "virtual environments"  # a clone may lie in a folder whose name has a space
    environments.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (environments / "torch").symlink_to(sys.prefix, target_is_directory=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
    return {
        **clean,
        "REGIE_HOME": str(home),
        "REGIE_ENVIRONMENTS": str(environments),
        "PYTHONPATH": str(TOYS),
        "REGIE_WORKFLOWS": '["regie_toy_plan:TOY"]',
        **more,
    }


class Holder:
    """A process that holds a stack."""

    def __init__(self, home: Path, port: int | None = None, **variables: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, str(TOYS / "regie_toy_stack.py"), *([str(port)] if port else [])],
            env=variables_of(home, **variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self, word: str) -> Any:
        """Return what the process says under this word; it may say other things before."""
        assert self.process.stdout is not None
        heard = []
        for line in self.process.stdout:
            heard.append(json.loads(line))
            if word in heard[-1]:
                return heard[-1][word]
        raise AssertionError(f"it ended without {word}: {heard}")

    def order(self, only: list[int] | None = None, wait: bool = True, folder: str = "", **orders: str) -> Any:
        """Have a run started, and return its status."""
        self._tell(only=only, orders={"phases": orders, "folder": folder}, wait=wait)
        return self.hear("status")

    def resume(self, run_id: str) -> tuple[Any, Any]:
        """Have a run go on to its end, and return its status before and after."""
        self._tell(resumed=run_id)
        return self.hear("status"), self.hear("status")

    def _tell(self, **words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def leave(self) -> None:
        """Have the process leave the stack, and wait until it has ended."""
        with self.process:
            if self.process.stdin is not None:
                self.process.stdin.close()
            self.hear("left")
        assert self.process.returncode == 0

    def kill(self) -> None:
        """Kill the process, if it is still there."""
        with self.process:
            self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
