"""`regie up` in real processes: what it refuses, in words, and what it survives."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from regie_toy_holder import cleaned, processes_of, until, variables_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by their environment")

REGIE = Path(sys.executable).with_name("regie")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Up:
    """`regie up` for a home, on ports of its own."""

    home: Path
    port: int = field(default_factory=free_port)
    console: int = field(default_factory=free_port)
    missing: str = ""

    def __post_init__(self) -> None:
        self.variables = {**variables_of(self.home), "REGIE_CONSOLE_PORT": str(self.console)}
        self.process = self.start()

    def start(self) -> "subprocess.Popen[str]":
        command = [str(REGIE), "up", "--port", str(self.port)]
        return subprocess.Popen(command, env=self.variables, stderr=subprocess.PIPE, text=True)

    def hear(self, words: str) -> str:
        """Wait until it says something, and return the line."""
        heard = []
        for line in self.process.stderr or ():
            heard.append(line)
            if words in line:
                return line
        raise AssertionError(f"it ended without {words!r}: {''.join(heard)}")

    def ended(self) -> tuple[int, str]:
        """Wait for its end, and return its exit code and what it said."""
        said = self.process.communicate(timeout=120)[1]
        return self.process.returncode, said

    def kill(self) -> None:
        with self.process:
            self.process.kill()

    @property
    def healthy(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}/api/health").is_success
        return False

    def start_run(self, source: str = "toy box", state: str = "SCHEDULED") -> httpx.Response:
        """Ask for a run of the toy's first phase."""
        api = f"http://127.0.0.1:{self.port}/api"
        deployment = httpx.get(f"{api}/deployments/name/toy/regie").json()["id"]
        body = {"parameters": {"source": source, "only": [1]}, "state": {"type": state}}
        return httpx.post(f"{api}/deployments/{deployment}/create_flow_run", json=body, timeout=60)


@contextlib.contextmanager
def begun(home: Path, **ports: int) -> Iterator[Up]:
    """Begin `regie up`, which the block ends, and leaves nothing of."""
    with cleaned(home):
        up = Up(home, **ports)
        try:
            yield up
        finally:
            up.kill()
        until(lambda: processes_of(home) == [], 20)


def refusal(home: Path, **ports: int) -> str:
    """Return what `regie up` says when it does not start."""
    with begun(home, **ports) as up:
        code, said = up.ended()
    assert code == 1, said
    assert "Traceback" not in said
    assert "Régie is up:" not in said
    return said


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own where that can be had, else a folder."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", str(folder)]
    mounted = os.getuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def up(disk: Path) -> Iterator[Up]:
    """Régie, up in a home whose name is not plain while the tests of this module go on; its terminal is closed last."""
    with begun(disk / "la Régie d'été n° 1 #2") as up:
        up.missing = up.hear("Not installed in")
        up.hear("Régie is up")
        yield up
        up.process.send_signal(signal.SIGHUP)
        code, said = up.ended()
        assert code == 0, said
        assert "Everything has ended" in said


def test_a_second_one_of_the_same_home_is_refused(up: Up) -> None:
    second = Up(up.home)
    code, said = second.ended()
    assert code == 1
    assert f"Régie is up already (http://127.0.0.1:{up.port}), by process {up.process.pid} (regie up)" in said
    assert up.healthy


@pytest.mark.parametrize(("which", "variable"), [("port", "REGIE_SERVER_PORT"), ("console", "REGIE_CONSOLE_PORT")])
def test_a_port_that_another_home_has_is_said_with_that_home_and_nothing_is_started(
    up: Up, tmp_path: Path, which: str, variable: str
) -> None:
    port = getattr(up, which)
    said = refusal(tmp_path / "home", **{which: port})
    assert f"Port {port} is taken by process " in said
    assert f"which works for Régie's home {up.home}. Give another one: {variable}=" in said
    assert "Starting" not in said


@pytest.mark.parametrize(("which", "variable"), [("port", "REGIE_SERVER_PORT"), ("console", "REGIE_CONSOLE_PORT")])
def test_a_port_that_another_program_has_is_said_and_nothing_is_started(
    tmp_path: Path, which: str, variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(tmp_path / "home", **{which: port})
    assert f"Port {port} is taken by process {os.getpid()} (" in said
    assert f"Give another one: {variable}=" in said
    assert "Starting" not in said


def test_one_that_was_killed_leaves_nothing_and_comes_up_again_at_once_on_its_ports(up: Up) -> None:
    up.kill()
    up.process = up.start()
    up.hear("Régie is up")
    assert up.healthy
    assert len([process for process in processes_of(up.home) if "lib.console" in process.cmdline()]) == 1


def test_the_address_that_one_that_was_killed_left_is_taken_away_before_the_next_starts(tmp_path: Path) -> None:
    left = tmp_path / "home/run/stack.json"
    left.parent.mkdir(parents=True)
    # Its port may be that of any program by now, one that says that it is well too.
    left.write_text('{"api_url": "http://127.0.0.1:9/left", "lasting": true}')
    with begun(tmp_path / "home") as up:
        up.hear("Starting")
        assert not left.exists() or "left" not in left.read_text()


def test_ctrl_c_while_it_starts_ends_it(tmp_path: Path) -> None:
    with begun(tmp_path / "home") as up:
        up.hear("Starting")
        up.process.send_signal(signal.SIGINT)
        code, said = up.ended()
    assert code == 130
    assert "Traceback" not in said


def test_a_home_that_cannot_be_made_is_said() -> None:
    home = Path("/dev/null/home")
    command = [str(REGIE), "up"]
    variables = {**os.environ, "REGIE_HOME": str(home)}
    refused = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "Régie cannot write in its home /dev/null/home: Not a directory" in refused.stderr


def test_a_database_that_is_damaged_is_named_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "home/prefect/prefect.db"
    database.parent.mkdir(parents=True)
    content = os.urandom(100_000)
    database.write_bytes(content)
    said = refusal(tmp_path / "home")
    assert f"The database {database} is damaged (file is not a database)" in said
    assert f"mv '{database}'" in said
    assert database.read_bytes() == content


def test_a_database_of_a_newer_prefect_is_named_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "home/prefect/prefect.db"
    database.parent.mkdir(parents=True)
    with sqlite3.connect(database) as opened:
        opened.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        opened.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    content = database.read_bytes()
    said = refusal(tmp_path / "home")
    assert f"The database {database} was made by a newer release of Prefect" in said
    assert f"mv '{database}'" in said
    assert database.read_bytes()[100:] == content[100:], "but for SQLite's own header"


def test_environments_that_are_not_installed_are_named(up: Up) -> None:
    assert "tracking. Phases of these environments fail until they are: regie sync tracking" in up.missing


@pytest.fixture
def filled(disk: Path) -> Callable[[], "contextlib.AbstractContextManager[None]"]:
    if not os.path.ismount(disk):
        pytest.skip("a disk to fill takes a mount, which takes root")

    @contextlib.contextmanager
    def fill() -> Iterator[None]:
        filler = disk / "filler"
        try:
            with contextlib.suppress(OSError), filler.open("wb") as growing:
                while True:
                    growing.write(bytes(2**16))
            yield
        finally:
            filler.unlink()

    return fill


def test_a_full_disk_is_said_before_anything_starts(
    disk: Path, filled: Callable[[], "contextlib.AbstractContextManager[None]"]
) -> None:
    with filled():
        said = refusal(disk / "another home")
    assert "another home" in said
    assert "Make room" in said


@pytest.mark.long
def test_up_lives_through_a_full_disk_and_works_when_there_is_room_again(
    up: Up, filled: Callable[[], "contextlib.AbstractContextManager[None]"]
) -> None:
    with filled():
        up.hear("Make room: runs fail without it")
        until(lambda: up.start_run("x" * 400_000, "COMPLETED").is_server_error)
    up.hear("There is room on the disk")
    run = until(lambda: (answer := up.start_run()).is_success and answer.json()["id"])
    address = f"http://127.0.0.1:{up.port}/api/flow_runs/{run}"
    until(lambda: httpx.get(address).json()["state"]["type"] == "COMPLETED")
    assert up.process.poll() is None
