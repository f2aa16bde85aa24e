"""The processes of a stack: started, started again when they break down, ended in order."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from lib.errors import InputError

GRACE_SECONDS = 8.0
"""How long a process may take to end by itself before it is killed."""
SECONDS_BETWEEN_LOOKS = 0.5
RESTARTS, WITHIN_SECONDS = 3, 60.0
"""How often a process is started again in how long a time: what breaks down more often will not get better by it."""


TAIL_BYTES = 16 * 1024
"""How much of the end of a log its last lines are looked for in."""


class Supervisor:
    """Processes that end with this one, whatever becomes of it.

    `variables` are their environment, `folder` holds a log of each, `say` is told what happens to them.
    """

    def __init__(self, variables: Mapping[str, str], folder: Path, say: Callable[[str], None]) -> None:
        self._variables = dict(variables)
        self._folder = folder
        self._say = say
        self._services: list[_Service] = []
        self._failure = ""
        self._over, self._ended = threading.Event(), threading.Event()
        # It also ends them: to the kernel, the parent that they end with is the thread that started them.
        self._thread = threading.Thread(target=self._tend, name="supervisor", daemon=True)

    def start(
        self, name: str, arguments: Sequence[str], *, again: bool = True, vital: bool = True
    ) -> "subprocess.Popen[bytes]":
        """Start `python ARGUMENTS` under a name, and `again` when it breaks down; what is not `vital` may stay away."""
        service = _Service(name, self._folder / f"{name}.log", tuple(arguments), again, vital)
        service.log.unlink(missing_ok=True)
        service.process = self._spawn(service)
        self._services.append(service)
        if not self._thread.is_alive():
            self._thread.start()
        return service.process

    @property
    def processes(self) -> "dict[str, subprocess.Popen[bytes]]":
        """The processes as they are now, by their names."""
        return {service.name: service.process for service in self._services}

    def check(self) -> None:
        """Raise InputError when a process broke down for good: a run would wait for it for ever."""
        if self._failure:
            raise InputError(self._failure)

    def end(self) -> None:
        """End all of them, the last one first; what they started goes before them.

        Who does not want to wait for that interrupts it: then they are killed.
        """
        self._over.set()
        if not self._thread.is_alive():
            return
        try:
            self._ended.wait()
        except KeyboardInterrupt:
            for service in self._services:
                end(service.process.pid, signals=(signal.SIGKILL,))
            self._ended.wait()

    def _tend(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            for service in self._services:
                if service.process.poll() is not None and not service.given_up:
                    try:
                        self._restart(service)
                    except OSError as error:  # no more processes, a full disk: the others are still looked after
                        service.given_up = True
                        self._failure = f"The process of the {service.name} cannot be started again: {error}."
        for service in reversed(self._services):
            end(service.process.pid)
            service.process.wait()
        self._ended.set()

    def _restart(self, service: "_Service") -> None:
        code = service.process.returncode
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        now = time.monotonic()
        service.restarts = [when for when in service.restarts if now - when < WITHIN_SECONDS]
        if service.again and len(service.restarts) < RESTARTS:
            service.restarts.append(now)
            self._say(f"The process of the {service.name} ended {how}: it is started again.")
            service.process = self._spawn(service)
            return
        service.given_up = True
        last = f"It said last:\n{tail(service.log)}"
        if service.vital:
            self._failure = (
                f"The process of the {service.name} broke down ({how}). Run the same command again: what is done is "
                f"kept. {last}"
            )
        else:
            self._say(f"The process of the {service.name} broke down ({how}); the rest goes on without it. {last}")

    def _spawn(self, service: "_Service") -> "subprocess.Popen[bytes]":
        # A session of its own: Ctrl-C in the terminal reaches this process only, which then ends the others in order.
        command = [sys.executable, "-m", "lib.child", str(os.getpid()), sys.executable, *service.arguments]
        with service.log.open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


class _Service:
    """One of the processes, and how often it was started again."""

    process: "subprocess.Popen[bytes]"

    def __init__(self, name: str, log: Path, arguments: tuple[str, ...], again: bool, vital: bool) -> None:
        self.name, self.log, self.arguments, self.again, self.vital = name, log, arguments, again, vital
        self.restarts: list[float] = []
        self.given_up = False


def end(pid: int, signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGKILL)) -> None:
    """End a process after everything that it started: asked first, killed after a grace.

    What it started goes first: it can then still tell how it ended.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for family in (parent.children(recursive=True), [parent]):
            _end_all(family, signals)


def tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log, however long it is."""
    with path.open("rb") as log:
        log.seek(max(path.stat().st_size - TAIL_BYTES, 0))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def _end_all(processes: list[psutil.Process], signals: Sequence[signal.Signals]) -> None:
    for sig in signals:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(sig)
        _, processes = psutil.wait_procs(processes, timeout=GRACE_SECONDS)
        if not processes:
            return
