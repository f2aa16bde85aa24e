"""Several machines on one: each a network namespace with a name of its own; a server as compose.yaml describes it."""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from regie_toy_holder import until, variables_of

COMPOSE = Path(__file__).resolve().parents[2] / "deployments" / "compose.yaml"
PROGRAMS = Path("/usr/lib/postgresql")
HOST_LOST_AFTER = 15
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def missing() -> str:
    """Return what there is not to make machines with; nothing when all is there."""
    if os.getuid() != 0:
        return "only root makes network namespaces"
    absent = [name for name in ("ip", "unshare", "redis-server") if shutil.which(name) is None]
    absent += [] if list(PROGRAMS.glob("*/bin/initdb")) else ["postgresql"]
    if absent:
        return f"not installed: {', '.join(absent)}"
    for command in (["ip", "netns", "add", "regie-trial"], ["ip", "netns", "delete", "regie-trial"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"no network namespaces can be made here: {done.stderr.strip()}"
    return ""


def services(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the services of compose.yaml with these variables put in, as `docker compose` does."""

    def value_of(match: "re.Match[str]") -> str:
        value = given.get(match["name"], "")
        if not value and match["kind"] == "?":
            raise LookupError(f"{match['name']}: {match['rest']}")
        return value or (match["rest"] if match["kind"] == "-" else "")

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        return VARIABLE.sub(value_of, node) if isinstance(node, str) else node

    found: dict[str, Any] = filled(yaml.safe_load(COMPOSE.read_text()))["services"]
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def clean() -> dict[str, str]:
    """Return this process's environment without what concerns Régie and Prefect."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}


def ip(*words: object) -> None:
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True)


@dataclass
class Machine:
    """One of several: processes that reach the others by a link of their own, and are on a host of this name."""

    name: str
    address: str
    bridge: str
    home: Path
    variables: dict[str, str]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        self._outside = f"v{self.name}"
        ip("netns", "add", self.name)
        ip("link", "add", self._outside, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", self._outside, "master", self.bridge, "up")
        ip("-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        ip("-n", self.name, "link", "set", "eth0", "up")
        ip("-n", self.name, "link", "set", "lo", "up")

    def work(self, *environments: str, **variables: str) -> None:
        """Start the workers of these environments, as the services of compose.yaml do."""
        self.start([sys.executable, "-m", "deployments.machine", *environments], **variables)

    def start(self, command: list[str], **variables: str) -> "subprocess.Popen[bytes]":
        inside = [
            "ip",
            "netns",
            "exec",
            self.name,
            "unshare",
            "--uts",
            "sh",
            "-c",
            'hostname "$0" && exec "$@"',
            self.name,
        ]
        with (self.home / "machine.log").open("ab") as log:
            process = subprocess.Popen(
                [*inside, *command],
                env={**variables_of(self.home), **self.variables, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def cut_off(self) -> None:
        """Take the link down: what was sent is lost, and nothing tells anybody so."""
        ip("link", "set", self._outside, "down")

    def join_again(self) -> None:
        ip("link", "set", self._outside, "up")

    def pids(self) -> set[int]:
        listed = subprocess.run(["ip", "netns", "pids", self.name], check=True, capture_output=True, text=True)
        return {int(pid) for pid in listed.stdout.split()}

    def die(self) -> None:
        """End as by a power cut: no process has time for a word."""
        self.cut_off()
        while pids := self.pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self.processes:
                process.poll()
            time.sleep(0.05)

    def leave(self) -> None:
        """End in order, and be no more."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.die()
        for process in self.processes:
            process.wait()
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", self._outside)
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("netns", "delete", self.name)


class Cluster:
    """A Prefect server on PostgreSQL and Redis, its API and services apart, and the machines that work for it."""

    def __init__(self, folder: Path, lost_after: float = HOST_LOST_AFTER) -> None:
        self.folder = folder
        self.shared = folder / "shared"
        self.shared.mkdir()
        self._ending = contextlib.ExitStack()
        self._machines: list[Machine] = []
        self._count = 1
        self._net = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(250)}"
        self._id = secrets.token_hex(2)
        self._bridge = f"br{self._id}"
        self._ports = {"postgres": free_port(), "redis": free_port(), "api": free_port(), "console": free_port()}
        self.given = {
            "POSTGRES_PASSWORD": secrets.token_hex(12),
            "PREFECT_AUTH": f"regie:{secrets.token_hex(12)}",
            "REGIE_CONSOLE_TOKEN": secrets.token_hex(12),
            "REGIE_TAG": "test",
            "REGIE_USER": "0:0",
            "REGIE_SHARED": str(self.shared),
            "REGIE_HOST_LOST_AFTER": str(lost_after),
        }
        self.services = services(self.given)

    @property
    def address(self) -> str:
        """Where all machines reach this one."""
        return f"{self._net}.1"

    @property
    def api_url(self) -> str:
        return f"http://{self.address}:{self._ports['api']}/api"

    def here(self, text: str) -> str:
        """Return what names a service of compose.yaml with the address that it has here."""
        for service, port in (("postgres", 5432), ("redis", 6379)):
            text = text.replace(f"{service}:{port}", f"127.0.0.1:{self._ports[service]}")
        return text.replace("http://api:4200/api", self.api_url)

    def variables(self, service: str) -> dict[str, str]:
        """Return the environment that compose.yaml gives a service."""
        return {name: self.here(str(value)) for name, value in self.services[service]["environment"].items() if value}

    def run(self, service: str, home: Path, **variables: str) -> "subprocess.Popen[bytes]":
        """Start the command of a service, with the environment that it is given there."""
        words = {"0.0.0.0": f"{self._net}.1", "4200": str(self._ports["api"])}
        command = [words.get(word, word) for word in self.services[service]["command"]]
        programs = Path(sys.executable).parent
        command[0] = {"python3": sys.executable}.get(command[0], str(programs / command[0]))
        with (self.folder / f"{service}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={
                    **variables_of(home),
                    "PREFECT_HOME": str(home / "prefect"),
                    **self.variables(service),
                    **variables,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def port(self, service: str) -> int:
        """Return a free port, the same one each time, for a service that is started here."""
        return self._ports[service]

    def machine(self, name: str) -> Machine:
        """Return a new machine on which nothing runs yet; its name is made unlike any other."""
        self._count += 1
        made = Machine(
            f"{name}{self._id}",
            f"{self._net}.{self._count}",
            self._bridge,
            self.folder / name / "home",
            {**self.variables("base"), "PREFECT_LOGGING_LEVEL": "INFO"},
        )
        self._machines.append(made)
        return made

    def retire(self) -> None:
        """Have all machines leave."""
        while self._machines:
            self._machines.pop().leave()

    def __enter__(self) -> "Cluster":
        with contextlib.ExitStack() as starting:
            self._start(starting)
            self._ending = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.retire()
        self._ending.close()

    def _start(self, ending: contextlib.ExitStack) -> None:
        ip("link", "add", self._bridge, "type", "bridge")
        ending.callback(ip, "link", "delete", self._bridge)
        ip("address", "add", f"{self._net}.1/24", "dev", self._bridge)
        ip("link", "set", self._bridge, "up")
        ending.enter_context(postgresql(self.folder, self._ports["postgres"], self.given["POSTGRES_PASSWORD"]))
        ending.enter_context(redis(self.folder, self._ports["redis"], self.services["redis"]["command"][1:]))
        home = self.folder / "server"
        home.mkdir()
        self._serve(ending, "api", home)
        until(lambda: answers(self.api_url), 300)
        self._serve(ending, "services", home)
        deployed = self.run("deploy", self.folder / "deploy", **{"REGIE_HOME": str(self.folder / "deploy")})
        if deployed.wait(180):
            raise AssertionError((self.folder / "deploy.log").read_text())

    def _serve(self, ending: contextlib.ExitStack, service: str, home: Path) -> None:
        process = self.run(service, home)
        ending.callback(process.wait)
        ending.callback(process.terminate)


def answers(api_url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{api_url}/health", timeout=2).is_success
    return False


@contextlib.contextmanager
def postgresql(folder: Path, port: int, password: str) -> Iterator[None]:
    """Start a PostgreSQL of one's own with a user and a database `regie`, as its image does."""
    programs = max(PROGRAMS.glob("*/bin"), key=lambda path: float(path.parent.name))
    data = folder / "postgresql"
    data.mkdir()
    (folder / "password").write_text(password)
    # PostgreSQL refuses to run as root; its package made a user for it.
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder.chmod(0o755)
    for each in (data, folder / "password"):
        shutil.chown(each, user)

    def run(name: str, *options: str) -> None:
        subprocess.run(
            [str(programs / name), *options],
            check=True,
            user=user,
            stdout=subprocess.DEVNULL,
            cwd=data,
            env={**clean(), "PGPASSWORD": password},
        )

    run(
        "initdb",
        "-D",
        str(data),
        "-U",
        "regie",
        "--auth=scram-sha-256",
        f"--pwfile={folder / 'password'}",
        "-E",
        "UTF8",
    )
    options = f"-k {data} -c listen_addresses=127.0.0.1 -p {port}"
    run("pg_ctl", "-D", str(data), "start", "--wait", "-o", options, "--log", str(data / "log"))
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "regie", "regie")
        yield
    finally:
        run("pg_ctl", "-D", str(data), "stop", "--mode=fast")


@contextlib.contextmanager
def redis(folder: Path, port: int, options: list[str]) -> Iterator[None]:
    """Start a Redis of one's own."""
    place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    process = subprocess.Popen(["redis-server", *options, *place], stdout=subprocess.DEVNULL, env=clean())
    try:
        until(lambda: _listens(port), 30)
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def is_running(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
