import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
import pytest

from deployments.stack import end, environment_of, stack
from lib.errors import InputError
from lib.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by their environment")


def until(true: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
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


class Holder:
    """A process that holds a stack."""

    def __init__(self, home: Path, toys: str, port: int | None = None) -> None:
        self.home = home
        environments = home.parent / "virtual environments"  # a clone may lie in a folder whose name has a space
        environments.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (environments / "torch").symlink_to(sys.prefix, target_is_directory=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
        self.process = subprocess.Popen(
            [sys.executable, f"{toys}/regie_toy_stack.py", *([str(port)] if port else [])],
            env={
                **clean,
                "REGIE_HOME": str(home),
                "REGIE_ENVIRONMENTS": str(environments),
                "PYTHONPATH": toys,
                "REGIE_WORKFLOWS": '["regie_toy_plan:TOY"]',
            },
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

    def order(self, only: list[int] | None = None, wait: bool = True, **orders: str) -> Any:
        """Have a run started, and return its status."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"only": only, "orders": orders, "wait": wait}) + "\n")
        self.process.stdin.flush()
        return self.hear("status")

    def leave(self) -> None:
        """Have the process leave the stack, and wait until it has ended."""
        with self.process:
            if self.process.stdin is not None:
                self.process.stdin.close()
            self.hear("left")
        assert self.process.returncode == 0

    def kill(self) -> None:
        with self.process:
            self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine") / "home"


@pytest.fixture(scope="module")
def up(home: Path, toy_folder: str) -> Iterator[Holder]:
    """A stack that is up while the tests of this module go on."""
    with cleaned(home), Holder(home, toy_folder) as holder:
        holder.hear("own")
        yield holder
        holder.leave()
        assert processes_of(home) == []


@pytest.fixture
def url(home: Path, up: Holder) -> str:
    return str(json.loads((home / "run" / "stack.json").read_text())["api_url"])


def test_a_run_takes_each_phase_to_its_environment_and_finds_all_of_them(up: Holder) -> None:
    status = up.order()
    assert status["state"] == "completed"
    engines = {phase["key"]: phase["engine"] for phase in status["phases"]}
    assert engines.pop("last") == "clockwork in torch"
    assert set(engines.values()) == {f"clockwork in {Path(sys.prefix).name}"}
    assert {(phase["state"], phase["done"]) for phase in status["phases"]} == {("completed", 2)}


def test_a_phase_elsewhere_that_fails_says_why(up: Holder) -> None:
    status = up.order(only=[5], last="raise")
    assert status["state"] == "failed"
    assert "The toy is broken. Mend it." in status["phases"][-1]["error"]
    assert "The toy is broken. Mend it." in status["message"]


def test_a_second_user_takes_the_stack_that_is_up_and_leaves_it_up(
    home: Path, up: Holder, url: str, toy_folder: str
) -> None:
    with Holder(home, toy_folder) as second:
        assert second.hear("own") is False
        assert len([process for process in processes_of(home) if "server" in process.cmdline()]) == 1
        second.leave()
    assert httpx.get(f"{url}/health").is_success


def test_a_second_stack_on_a_port_of_its_own_is_refused(home: Path, up: Holder, url: str, toy_folder: str) -> None:
    with Holder(home, toy_folder, port=4299) as second:
        refusal = second.hear("refused")
        second.leave()
    assert "Régie is up already" in refusal
    assert url.removesuffix("/api") in refusal


def test_an_owner_that_is_killed_leaves_nothing_and_a_new_stack_starts(tmp_path: Path, toy_folder: str) -> None:
    home = tmp_path / "home"
    with cleaned(home), Holder(home, toy_folder) as owner:
        owner.hear("own")
        owner.order(only=[5], wait=False, last="wait")
        # The orchestrator and the phase, each in a process that a worker started.
        until(lambda: len([p for p in processes_of(home) if "prefect.engine" in p.cmdline()]) == 2)
        owner.kill()
        until(lambda: processes_of(home) == [], seconds=10)
        with leaving(home) as leave, Holder(home, toy_folder) as heir:
            leave()
            assert heir.hear("own") is True
            heir.leave()
            assert processes_of(home) == []
            assert not (home / "run" / "stack.json").exists()


def test_an_owner_that_is_interrupted_keeps_the_server_up_for_the_runs_of_others(
    tmp_path: Path, toy_folder: str
) -> None:
    home = tmp_path / "home"
    with cleaned(home), Holder(home, toy_folder) as owner:
        assert owner.hear("own") is True
        with Holder(home, toy_folder) as other:
            assert other.hear("own") is False
            owner.process.send_signal(signal.SIGINT)
            assert "Another run still uses this server" in owner.hear("said")
            assert other.order(only=[5])["state"] == "completed"
            other.leave()
        assert owner.process.wait(30) != 0
        assert processes_of(home) == []


@pytest.fixture
def quiet_home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", start_timeout=30)


def test_a_port_that_is_taken_is_said_and_nothing_is_started(quiet_home: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match=f"Port {port} is taken by another program. Give another one"),
            stack(quiet_home, lambda line: None, port=port),
        ):
            pass
    assert processes_of(quiet_home.home) == []


def test_every_process_of_a_stack_is_told_where_everything_is(
    quiet_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")
    monkeypatch.setenv("PREFECT_WORKER_QUERY_SECONDS", "7")
    monkeypatch.delenv("PREFECT_SERVER_ANALYTICS_ENABLED", raising=False)
    variables = environment_of(quiet_home, "http://127.0.0.1:1/api")
    assert variables["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
    assert variables["PREFECT_HOME"] == str(quiet_home.home / "prefect")
    assert variables["REGIE_HOME"] == str(quiet_home.home)
    assert variables["PREFECT_WORKER_QUERY_SECONDS"] == "7", "what the user has set wins"
    assert variables["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = [sys.executable, "-c", "import time; print('child', flush=True); time.sleep(600)"]
with subprocess.Popen(child):
    time.sleep(600)
"""


def test_a_process_that_will_not_end_is_killed_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.stack.GRACE_SECONDS", 0.2)
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as stubborn:
        assert stubborn.stdout is not None
        assert stubborn.stdout.readline() == "child\n"
        [child] = psutil.Process(stubborn.pid).children()
        end(stubborn.pid)
        assert not psutil.pid_exists(child.pid) or child.status() == psutil.STATUS_ZOMBIE
        assert stubborn.wait(5) is not None


def test_a_process_that_has_ended_already_is_no_problem() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    end(ended.pid)
