import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from regie_toy_holder import until

REGIE = Path(sys.executable).with_name("regie")


@dataclass(frozen=True)
class Machine:
    """A home of Régie that knows the toy workflow, and the commands in it."""

    home: Path
    toys: str
    api_url: str = ""

    @property
    def variables(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
        environments = self.home.parent / "environments"
        return {
            **clean,
            "REGIE_HOME": str(self.home),
            "REGIE_ENVIRONMENTS": str(environments),
            "REGIE_WORKFLOWS": '["regie_toy_plan:TOY"]',
            "PYTHONPATH": self.toys,
        }

    def regie(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = [str(REGIE), *map(str, arguments)]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True, timeout=120, check=False)

    @contextlib.contextmanager
    def began(self, *arguments: object) -> "Iterator[subprocess.Popen[str]]":
        """Begin a command that Ctrl-C interrupts, and whose words on standard error are read; the block ends it."""
        command = [str(REGIE), *map(str, arguments)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=self.variables, stderr=pipe, stdout=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def start(self, folder: Path, **orders: str) -> str:
        """Start a run of the toy by its deployment, and return its id."""
        deployment = httpx.get(f"{self.api_url}/deployments/name/toy/regie").json()["id"]
        parameters = {"source": "toy box", "orders": {"phases": orders, "folder": str(folder)}}
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        # A server under load says for a moment that its database is busy.
        url = f"{self.api_url}/deployments/{deployment}/create_flow_run"
        made = until(lambda: (answer := httpx.post(url, json=body, timeout=60)).is_success and answer)
        return str(made.json()["id"])


@pytest.fixture(scope="module")
def machine(
    tmp_path_factory: pytest.TempPathFactory, make_home: Callable[[Path], Path], toy_folder: str
) -> Iterator[Machine]:
    """A machine on which the toy's stack is up."""
    home = make_home(tmp_path_factory.mktemp("machine") / "home")
    machine = Machine(home, toy_folder)
    (home.parent / "environments").mkdir()
    (home.parent / "environments" / "torch").symlink_to(sys.prefix, target_is_directory=True)
    with subprocess.Popen(
        [sys.executable, f"{toy_folder}/regie_toy_stack.py"],
        env=machine.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        told = (json.loads(line) for line in holder.stdout)
        url = next(line["api_url"] for line in told if "api_url" in line)
        try:
            yield Machine(home, toy_folder, url)
        finally:
            holder.stdin.close()
            holder.wait(60)
