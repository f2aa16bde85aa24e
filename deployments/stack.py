"""The processes behind a run on one machine: Prefect's server, and the workers of every work pool."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import anyio
import httpx
import psutil

from lib.errors import InputError
from lib.runs.plan import environments_of
from lib.settings import Settings
from lib.workflows import workflows

HOST = "127.0.0.1"
GRACE_SECONDS = 8.0
"""How long a process may take to end by itself before it is killed."""

PREFECT_SETTINGS: Mapping[str, str] = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_WORKER_QUERY_SECONDS": "1",
    "PREFECT_WORKER_PREFETCH_SECONDS": "5",
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_CLI_PROMPT": "false",
    # A single machine writes to SQLite: waiting for its lock is better than failing on it.
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
    "PREFECT_API_REQUEST_TIMEOUT": "120",
    "PREFECT_RUNNER_HEARTBEAT_FREQUENCY": "30",
}
"""How Prefect is set up for one machine; a variable that is set already wins."""


@dataclass(frozen=True)
class Stack:
    """A running server with its workers."""

    api_url: str
    ui_url: str
    own: bool
    """Whether this process started it, and ends it."""
    processes: "Mapping[Path, subprocess.Popen[bytes]]" = field(default_factory=dict)
    """Of a stack of one's own: the server and the workers, by their logs."""

    def check(self) -> None:
        """Raise InputError when a process of one's own stack has broken down: a run would wait for it for ever."""
        for log, process in self.processes.items():
            if process.poll() is not None:
                raise InputError(
                    f"The process of the {log.stem} broke down ({process.returncode}). Run the same command again: "
                    f"what is done is kept. It said last:\n{_tail(log)}"
                )


def environment_of(config: Settings, api_url: str) -> dict[str, str]:
    """Return the environment variables of every process of a stack."""
    return {
        **PREFECT_SETTINGS,
        **os.environ,
        "REGIE_HOME": str(config.home),
        "REGIE_ENVIRONMENTS": str(config.environments),
        "PREFECT_HOME": str(config.prefect_home),
        "PREFECT_PROFILES_PATH": str(config.prefect_home / "profiles.toml"),
        "PREFECT_API_URL": api_url,
    }


@contextlib.contextmanager
def stack(
    config: Settings, say: Callable[[str], None], *, port: int | None = None, workers: bool = True
) -> Iterator[Stack]:
    """Give the running stack, or start one for as long as the block lasts, and for as long as others use it.

    With a `port` a stack is started there, or InputError says that there is one; it ends with the block, whoever uses
    it. Without `workers` what is started is a server to read from, which others wait for rather than use. Raises
    InputError when it cannot start.
    """
    config.run_folder.mkdir(parents=True, exist_ok=True)
    with (config.run_folder / "stack.lock").open("a") as owner, (config.run_folder / "users.lock").open("a") as users:
        if not _held(owner):
            if port is None:
                fcntl.flock(users, fcntl.LOCK_SH)
            found = _running(config, owner)
            if found is not None and port is not None:
                raise InputError(f"Régie is up already ({found.ui_url}); `regie run` uses it.")
            if found is not None:
                _point_prefect_at(environment_of(config, found.api_url))
                yield found
                return
        with _started(config, say, port, workers=workers) as running:
            try:
                yield running
            finally:
                if port is None and workers:
                    _wait_for_others(users, say)


def _point_prefect_at(variables: Mapping[str, str]) -> None:
    os.environ.update({name: value for name, value in variables.items() if name.startswith(("PREFECT_", "REGIE_"))})


def _held(lock: IO[str]) -> bool:
    """Take a lock that nobody else holds, and say whether that was so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for_others(users: IO[str], say: Callable[[str], None]) -> None:
    if not _held(users):
        say("Another run still uses this server: it is kept up until that one ends. Ctrl-C ends both.")
        fcntl.flock(users, fcntl.LOCK_EX)


def _running(config: Settings, owner: IO[str]) -> Stack | None:
    """Return the stack that another process started, once it answers; None when that one left, and this one owns it."""
    deadline = time.monotonic() + config.start_timeout
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
            url = json.loads(_state_file(config).read_text())["api_url"]
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return Stack(api_url=url, ui_url=url.removesuffix("/api"), own=False)
        if _held(owner):
            return None
        time.sleep(0.2)
    raise InputError("Another Régie process is starting or stopping and does not answer. Try again in a moment.")


@contextlib.contextmanager
def _started(config: Settings, say: Callable[[str], None], port: int | None, *, workers: bool) -> Iterator[Stack]:
    port = _free_port(port)
    api_url = f"http://{HOST}:{port}/api"
    variables = environment_of(config, api_url)
    config.prefect_home.mkdir(parents=True, exist_ok=True)
    processes: dict[Path, subprocess.Popen[bytes]] = {}
    with contextlib.ExitStack() as logs:

        def spawn(name: str, arguments: list[str]) -> "subprocess.Popen[bytes]":
            log = config.run_folder / f"{name}.log"
            processes[log] = process = _spawn(arguments, variables, logs.enter_context(log.open("wb")))
            return process

        try:
            say("Starting the Prefect server" + " and the workers" * workers)
            server = spawn("server", ["-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)])
            _point_prefect_at(variables)
            if workers:
                # They wait for their pools, and Prefect reads its environment when it is imported: both take as long as
                # the server's own start, so they go on beside it.
                spawn("workers", ["-m", "deployments.workers", *environments_of(workflows().values())])
                from deployments import catalogue

            _wait_until_healthy(api_url, server, config)
            if workers:
                anyio.run(catalogue.register, config.environments)
                _state_file(config).write_text(json.dumps({"api_url": api_url, "pid": os.getpid()}))
            yield Stack(api_url=api_url, ui_url=f"http://{HOST}:{port}", own=True, processes=processes)
        finally:
            _state_file(config).unlink(missing_ok=True)
            for process in reversed(processes.values()):
                end(process.pid)
                process.wait()


def _spawn(arguments: list[str], variables: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches this process only, which then ends the others in order.
    command = [sys.executable, "-m", "lib.child", str(os.getpid()), sys.executable, *arguments]
    return subprocess.Popen(
        command, env=dict(variables), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def end(pid: int) -> None:
    """End a process after everything that it started: asked first, killed after a grace.

    What it started goes first: it can then still tell how it ended.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for family in (parent.children(recursive=True), [parent]):
            _end_all(family)


def _end_all(processes: list[psutil.Process]) -> None:
    for sig in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(sig)
        _, processes = psutil.wait_procs(processes, timeout=GRACE_SECONDS)
        if not processes:
            return


def _wait_until_healthy(api_url: str, server: "subprocess.Popen[bytes]", config: Settings) -> None:
    deadline = time.monotonic() + config.start_timeout
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise InputError(f"The Prefect server ended at once. It said:\n{_tail(config.run_folder / 'server.log')}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{api_url}/health", timeout=2).is_success:
                return
        time.sleep(0.1)
    raise InputError(
        f"The Prefect server did not answer within {config.start_timeout:.0f} s (setting start_timeout). It said:\n"
        + _tail(config.run_folder / "server.log")
    )


def _tail(path: Path, lines: int = 12) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _free_port(wanted: int | None) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as error:
            raise InputError(
                f"Port {wanted} is taken by another program. Give another one: REGIE_SERVER_PORT=4300 regie up"
            ) from error
        return int(probe.getsockname()[1])


def _state_file(config: Settings) -> Path:
    return config.run_folder / "stack.json"
