"""The processes behind a run on one machine: Prefect's server, and the workers of every work pool."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import anyio
import httpx

from deployments.containers import require_containers
from deployments.home import prepare, trouble_with
from deployments.supervision import Supervisor, tail
from lib.errors import InputError
from lib.ports import listen_on
from lib.runs.plan import environments_of
from lib.settings import Settings
from lib.workflows import workflows

HOST = "127.0.0.1"
SECONDS_TO_ANSWER = 10.0
SECONDS_OF_SILENCE = 2.0
"""How long one waits for another process before that is said."""

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
    # In memory, as by default, they would be lost with the server, and the places that they stand for never be free.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
}
"""How Prefect is set up for one machine; a variable that is set already wins."""


@dataclass(frozen=True)
class Stack:
    """A running server with its workers."""

    api_url: str
    ui_url: str
    own: bool
    """Whether this process started it, and ends it."""
    lasting: bool = False
    """Whether it stays until somebody ends it, rather than with the runs that use it."""
    console_url: str = ""
    """Where the console is, when this process started one."""
    supervisor: Supervisor | None = None
    """Of a stack of one's own: what looks after its processes."""

    @property
    def processes(self) -> "dict[str, subprocess.Popen[bytes]]":
        """The processes of one's own stack by their names: `server`, `workers`, `console`."""
        return self.supervisor.processes if self.supervisor is not None else {}

    def check(self) -> None:
        """Raise InputError when a process of one's own stack broke down for good: a run would wait for it for ever."""
        if self.supervisor is not None:
            self.supervisor.check()


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
        **({"REGIE_DOCKER_IMAGES": json.dumps(config.docker_images)} if config.docker_images else {}),
    }


@contextlib.contextmanager
def stack(
    config: Settings,
    say: Callable[[str], None],
    *,
    port: int | None = None,
    workers: bool = True,
    console: bool = False,
) -> Iterator[Stack]:
    """Give the running stack, or start one for as long as the block lasts, and for as long as others use it.

    With a `port` a stack is started there, or InputError says that there is one; it ends with the block, whoever uses
    it. Without `workers` what is started is a server to read from, which others wait for rather than use. What is
    started has the console too with `console`. Where `server_url` is set nothing is started: it is that server that is
    given. Raises InputError when it cannot start, or does not answer.
    """
    prepare(config)
    if config.server_url is not None:
        yield _given(config, config.server_url)
        return
    with (config.run_folder / "stack.lock").open("a+") as owner, (config.run_folder / "users.lock").open("a") as users:
        if not _held(owner):
            if port is None:
                fcntl.flock(users, fcntl.LOCK_SH)
            found = _running(config, owner, say)
            if found is not None and port is not None:
                raise InputError(_refusal(found, owner))
            if found is not None:
                point_prefect_at(environment_of(config, found.api_url))
                yield found
                return
        # What an owner that was killed left behind: by now its port may be that of any program.
        _state_file(config).unlink(missing_ok=True)
        _sign(owner)
        with _started(config, say, port, workers=workers, console=console) as running:
            try:
                yield running
            finally:
                if port is None and workers:
                    _wait_for_others(users, say)


def point_prefect_at(variables: Mapping[str, str]) -> None:
    """Have Prefect in this process, not imported yet, use what these variables name."""
    os.environ.update({name: value for name, value in variables.items() if name.startswith(("PREFECT_", "REGIE_"))})


def _given(config: Settings, api_url: str) -> Stack:
    """Return the stack behind a server that is there already, on this machine or another."""
    try:
        httpx.get(f"{api_url}/health", timeout=SECONDS_TO_ANSWER).raise_for_status()
    except httpx.HTTPError as error:
        raise InputError(
            f"No Prefect server answers at {api_url} ({type(error).__name__}). It is used because the setting "
            "server_url, or PREFECT_API_URL, names it: start it, or take the setting away."
        ) from error
    point_prefect_at(environment_of(config, api_url))
    return Stack(api_url=api_url, ui_url=api_url.removesuffix("/api"), own=False, lasting=True)


def _held(lock: IO[str]) -> bool:
    """Take a lock that nobody else holds, and say whether that was so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(owner: IO[str]) -> None:
    """Note in the lock who holds it, for whoever finds it held."""
    owner.truncate(0)
    owner.write(f"process {os.getpid()} ({' '.join([Path(sys.argv[0]).name, *sys.argv[1:2]])})")
    owner.flush()


def _signature(owner: IO[str]) -> str:
    owner.seek(0)
    return owner.read() or "another process"


def _refusal(found: Stack, owner: IO[str]) -> str:
    if found.lasting:
        return f"Régie is up already ({found.ui_url}), by {_signature(owner)}; `regie run` uses it."
    return (
        f"A server is up already ({found.ui_url}), by {_signature(owner)}, and ends with it: start `regie up` then. "
        "`regie watch` shows the run that goes on."
    )


def _wait_for_others(users: IO[str], say: Callable[[str], None]) -> None:
    if not _held(users):
        say("Another run still uses this server: it is kept up until that one ends. Ctrl-C ends both.")
        fcntl.flock(users, fcntl.LOCK_EX)


def _running(config: Settings, owner: IO[str], say: Callable[[str], None]) -> Stack | None:
    """Return the stack that another process started, once it answers; None when that one left, and this one owns it."""
    begun = time.monotonic()
    told = False
    while (waited := time.monotonic() - begun) < config.start_timeout:
        with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
            state = json.loads(_state_file(config).read_text())
            url = state["api_url"]
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return Stack(api_url=url, ui_url=url.removesuffix("/api"), own=False, lasting=state["lasting"])
        if _held(owner):
            return None
        if not told and waited > SECONDS_OF_SILENCE:
            say(f"Waiting for {_signature(owner)}, which is starting, ending or only reads")
            told = True
        time.sleep(0.2)
    raise InputError(
        f"Régie's home {config.home} is held by {_signature(owner)}, and no server of it answers: that is starting or "
        "ending, or only reads. Try again when it has ended."
    )


@contextlib.contextmanager
def _started(
    config: Settings, say: Callable[[str], None], port: int | None, *, workers: bool, console: bool
) -> Iterator[Stack]:
    lasting = port is not None
    environments = environments_of(workflows().values())
    if workers:
        require_containers(environments, config, say)
    with listen_on(HOST, port or 0, "REGIE_SERVER_PORT") as free:
        port = int(free.getsockname()[1])
    if console:
        from lib.console.listening import listen

        listen(config).close()
    api_url = f"http://{HOST}:{port}/api"
    variables = environment_of(config, api_url)
    supervisor = Supervisor(variables, config.run_folder, say)
    try:
        say("Starting the Prefect server" + " and the workers" * workers)
        arguments = ["-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
        # Not again: its clients have given up by then, and the database may be what is broken.
        server = supervisor.start("server", arguments, again=False)
        point_prefect_at(variables)
        if workers:
            # They wait for their pools, and Prefect reads its environment when it is imported: both take as long as
            # the server's own start, so they go on beside it.
            supervisor.start("workers", ["-m", "deployments.workers", *environments])
        if console:
            supervisor.start("console", ["-m", "lib.console"], vital=False)
        from deployments import watch
        from deployments.hosts import Hosts

        if workers:
            from deployments.register import register
        _wait_until_healthy(api_url, server, config)
        if workers:
            anyio.run(partial(register, config.environments, config=config))
        with watch.watching(Hosts(config.host_lost_after)):
            if workers:
                _state_file(config).write_text(json.dumps({"api_url": api_url, "lasting": lasting}))
            yield Stack(
                api_url=api_url,
                ui_url=f"http://{HOST}:{port}",
                own=True,
                lasting=lasting,
                console_url=f"http://{config.console_host}:{config.console_port}" if console else "",
                supervisor=supervisor,
            )
    finally:
        _state_file(config).unlink(missing_ok=True)
        supervisor.end()


def _wait_until_healthy(api_url: str, server: "subprocess.Popen[bytes]", config: Settings) -> None:
    deadline = time.monotonic() + config.start_timeout
    while time.monotonic() < deadline:
        if server.poll() is not None:
            said = tail(config.run_folder / "server.log")
            trouble = trouble_with(config.prefect_home / "prefect.db", said)
            raise InputError(trouble or f"The Prefect server ended at once. It said:\n{said}")
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{api_url}/health", timeout=2).is_success:
                return
        time.sleep(0.1)
    raise InputError(
        f"The Prefect server did not answer within {config.start_timeout:.0f} s (setting start_timeout). It said:\n"
        + tail(config.run_folder / "server.log")
    )


def _state_file(config: Settings) -> Path:
    return config.run_folder / "stack.json"
