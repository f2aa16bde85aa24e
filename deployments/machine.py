"""The processes of one machine among several: its workers, for a server that is there already.

`python -m deployments.machine ENVIRONMENT…` is `regie worker` in an image, which lacks what a command line needs.
"""

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import httpx

from deployments import environments
from deployments.containers import require_containers
from deployments.home import prepare
from deployments.stack import Stack, environment_of, point_prefect_at
from deployments.supervision import Supervisor
from lib.errors import InputError
from lib.runs.plan import environments_of
from lib.runs.process import host_name
from lib.settings import Settings, read_settings
from lib.workflows import workflows

BEATS = 6
"""Heartbeats within the time after which a machine counts as lost: several may be late or missing."""
SECONDS_BETWEEN_LOOKS = 0.5


@contextlib.contextmanager
def machine(
    config: Settings, say: Callable[[str], None], keys: Sequence[str] = (), *, console: bool = False
) -> Iterator[Stack]:
    """Have the workers of these environments work for `server_url` while the block lasts; without any, of all here.

    They wait for the server, however long it is away. What is started has the console too with `console`. Raises
    InputError when there is nothing to work for or with.
    """
    if config.server_url is None:
        raise InputError(
            "There is no server to work for: set server_url, the address of its API, as in "
            "REGIE_SERVER_URL=http://studio:4200/api. On a single machine, `regie up` starts server and workers."
        )
    chosen = _chosen(config, keys)
    prepare(config)
    require_containers(chosen, config, say)
    variables = _variables(config, config.server_url)
    with (config.run_folder / "machine.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"The workers of Régie's home {config.home} are at work already.") from None
        point_prefect_at(variables)
        _wait_for(config.server_url, say)
        supervisor = Supervisor(variables, config.run_folder, say)
        try:
            supervisor.start("workers", ["-m", "deployments.workers", *chosen])
            if console:
                supervisor.start("console", ["-m", "lib.console"], vital=False)
            from deployments import watch
            from deployments.hosts import Hosts

            with watch.watching(Hosts(config.host_lost_after, returning=True)):
                say(f"{host_name()} works for {config.server_url}: {', '.join(chosen)}")
                yield Stack(
                    api_url=config.server_url,
                    ui_url=config.server_url.removesuffix("/api"),
                    own=True,
                    lasting=True,
                    console_url=f"http://{config.console_host}:{config.console_port}" if console else "",
                    supervisor=supervisor,
                )
        finally:
            supervisor.end()


def serve(config: Settings, say: Callable[[str], None], keys: Sequence[str] = ()) -> None:
    """Have the workers of these environments work until this process is interrupted."""
    with machine(config, say, keys) as running:
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(SECONDS_BETWEEN_LOOKS)
                running.check()
        say("Ending the workers; Ctrl-C again kills them")
    say("Everything has ended.")


def _chosen(config: Settings, keys: Sequence[str]) -> list[str]:
    """Return the environments whose phases this machine takes up."""
    if config.profile == "docker":  # their packages are in images
        return [environments.environment(key).key for key in keys] or environments_of(workflows().values())
    ready = [key for key in environments_of(workflows().values()) if _is_ready(key, config)]
    if missing := [key for key in keys if not _is_ready(key, config)]:
        raise InputError(f"Not installed on this machine: {', '.join(missing)}. regie sync {' '.join(missing)}")
    if not keys and not ready:
        raise InputError("No environment is installed on this machine: regie sync base scenes audio tracking")
    return list(dict.fromkeys(keys)) or ready


def _is_ready(key: str, config: Settings) -> bool:
    return environments.python(key, config.environments).exists() or environments.is_held(key)


def _variables(config: Settings, api_url: str) -> dict[str, str]:
    """Return the environment variables of a machine's processes."""
    patience = str(config.host_lost_after)
    return {
        **environment_of(config, api_url),
        # What was not answered for so long is not to be done any more.
        "PREFECT_API_REQUEST_TIMEOUT": os.environ.get("PREFECT_API_REQUEST_TIMEOUT", patience),
        **config.as_variables(),
        "REGIE_SERVER_URL": api_url,
        "REGIE_HOST_NAME": host_name(),
        "REGIE_HOST_LOST_AFTER": patience,
        "PREFECT_WORKER_HEARTBEAT_SECONDS": str(max(round(config.host_lost_after / BEATS), 1)),
    }


def _wait_for(api_url: str, say: Callable[[str], None]) -> None:
    told = False
    while not answers(api_url):
        if not told:
            say(
                f"Waiting for the Prefect server at {api_url} (setting server_url, or else PREFECT_API_URL; without "
                "both, `regie up` starts one here)"
            )
            told = True
        time.sleep(1)


def answers(api_url: str) -> bool:
    """Whether a Prefect server answers at this address."""
    try:
        return httpx.get(f"{api_url}/health", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(read_settings(), lambda line: print(line, file=sys.stderr, flush=True), sys.argv[1:])
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(_main())
