import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from regie_toy_holder import until

from lib.runs.status import RunStatus

from .conftest import Machine

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def done(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a run that completed."""
    run_id = machine.start(tmp_path_factory.mktemp("done"))
    assert machine.regie("watch", run_id).returncode == 0
    return run_id


@pytest.fixture
def working(machine: Machine, tmp_path: Path) -> Callable[[str], str]:
    """Give a function that starts a run whose last phase waits for the file `last.go`, and waits until it does."""

    def start(order: str = "hold") -> str:
        run_id = machine.start(tmp_path, last=order)
        until((tmp_path / "last.worked").exists)
        return run_id

    return start


def test_a_status_is_told_as_json_and_as_a_table(machine: Machine, done: str) -> None:
    told = RunStatus.model_validate_json(machine.regie("status", done, "--json").stdout)
    assert (told.run_id, told.state, told.progress) == (done, "completed", 100)
    table = machine.regie("status", done).stdout
    assert [phase.name for phase in told.phases if phase.name not in table] == []
    assert "completed: 5 phases completed" in table


def test_a_run_is_found_by_the_first_characters_of_its_id(machine: Machine, done: str) -> None:
    assert json.loads(machine.regie("status", done[:8], "--json").stdout)["run_id"] == done


@pytest.mark.parametrize("name", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_run_that_there_is_not_is_said(machine: Machine, name: str) -> None:
    refused = machine.regie("status", name)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"There is no run {name}. `regie runs` lists what there is." in refused.stderr


def test_runs_are_listed_and_chosen(machine: Machine, done: str) -> None:
    listed = json.loads(machine.regie("runs", "--state", "completed", "--json").stdout)
    assert done in [each["run_id"] for each in listed["items"]]
    assert done[:8] in machine.regie("runs", "--workflow", "toy").stdout
    assert json.loads(machine.regie("runs", "--state", "failed", "--json").stdout)["items"] == []
    assert json.loads(machine.regie("runs", "--since", "2999-01-01", "--json").stdout)["total"] == 0


def test_an_unknown_workflow_is_said(machine: Machine) -> None:
    for command in (["runs", "--workflow", "toi"], ["history", "toi"]):
        refused = machine.regie(*command)
        assert refused.returncode == 1
        assert "There is no workflow toi: there are video, offers, toy." in refused.stderr


def test_the_log_of_a_run_has_the_lines_of_all_phases_in_order(machine: Machine, done: str) -> None:
    lines = machine.regie("logs", done).stdout.splitlines()
    assert [line[:23] for line in lines] == sorted(line[:23] for line in lines)
    assert {line.split()[3] for line in lines} >= {"start", "last", "-"}
    last = machine.regie("logs", done, "--phase", "last").stdout.splitlines()
    assert {line.split()[3] for line in last} == {"last"}


def test_the_history_of_a_workflow_tells_how_long_its_phases_took(machine: Machine, done: str) -> None:
    told = json.loads(machine.regie("history", "toy", "--json").stdout)
    assert [(phase["key"], phase["runs"] > 0) for phase in told["phases"]] == [
        (key, True) for key in ("start", "left", "right", "join", "last")
    ]
    assert "whole run" in machine.regie("history", "toy").stdout


@pytest.mark.long
def test_a_run_is_cancelled_once_and_resumed(machine: Machine, working: Callable[[str], str], tmp_path: Path) -> None:
    run_id = working("hold")
    cancelled = machine.regie("cancel", run_id)
    assert cancelled.returncode == 0
    assert "The run of toy box is cancelled, after" in cancelled.stderr
    assert "had ended already: cancelled." in machine.regie("cancel", run_id).stderr
    assert machine.regie("watch", run_id).returncode == 130
    (tmp_path / "last.go").touch()
    resumed = machine.regie("resume", run_id)
    assert resumed.returncode == 0, resumed.stderr
    assert "goes on. Kept: 1 Start, 2 Left, 3 Right, 4 Join." in resumed.stderr
    assert (tmp_path / "start.begun").read_text().count("\n") == 1
    assert "there is nothing to resume" in machine.regie("resume", run_id).stderr


def test_the_example_of_the_documentation_tells_the_newest_run(machine: Machine, done: str) -> None:
    example = re.search(r"```python\n(.*?)```", (ROOT / "docs/runs.md").read_text(), re.DOTALL)
    assert example is not None
    variables = machine.variables | {"PREFECT_API_URL": machine.api_url}
    command = [sys.executable, "-c", example[1]]
    told = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=True).stdout
    assert told.startswith("toy toy box: ")
    assert "\n5 Last: " in told


BY_HAND = """
import sys
from deployments.here import begin_here, carry_out_here
from lib.workflows import workflows
toy = workflows()["toy"]
orders = {"phases": {"last": "kill"}, "folder": sys.argv[1]}
run_id = begin_here(toy, {"source": "toy box", "orders": orders, "inline": True})
print(run_id, flush=True)
carry_out_here(toy, run_id)
"""


def test_a_run_whose_own_process_was_killed_is_shown_as_crashed_and_goes_on_in_the_process_of_resume(
    machine: Machine, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", BY_HAND, str(tmp_path)]
    variables = machine.variables | {"PREFECT_API_URL": machine.api_url}
    killed = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)
    run_id = killed.stdout.strip()
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    watched = machine.regie("watch", run_id)
    assert watched.returncode == 1
    assert "crashed: Its process ended without a word" in watched.stdout
    (tmp_path / "last.go").touch()
    resumed = machine.regie("resume", run_id)
    assert resumed.returncode == 0, resumed.stderr
    assert "Kept: 1 Start, 2 Left, 3 Right, 4 Join." in resumed.stderr
    assert (tmp_path / "start.begun").read_text().count("\n") == 1


def test_who_stops_watching_leaves_the_run_alone(
    machine: Machine, working: Callable[[str], str], tmp_path: Path
) -> None:
    run_id = working("hold")
    with machine.began("watch", run_id) as watching:
        assert watching.stderr is not None
        assert "Ctrl-C leaves it alone" in watching.stderr.readline()
        watching.send_signal(signal.SIGINT)
        assert f"The run goes on. To end it: regie cancel {run_id}" in watching.communicate(timeout=60)[1]
    assert watching.returncode == 130
    (tmp_path / "last.go").touch()
    assert machine.regie("watch", run_id).returncode == 0


def test_runs_are_told_where_no_stack_is_up(machine: Machine, done: str, tmp_path: Path) -> None:
    alone = Machine(tmp_path / "home", machine.toys)
    (alone.home / "prefect").mkdir(parents=True)
    with sqlite3.connect(machine.home / "prefect" / "prefect.db") as there:
        there.backup(sqlite3.connect(alone.home / "prefect" / "prefect.db"))
    told = alone.regie("status", done, "--json")
    assert json.loads(told.stdout)["state"] == "completed"
    assert told.stderr == "Starting the Prefect server\n"
    assert not (alone.home / "run" / "stack.json").exists()
