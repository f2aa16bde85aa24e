"""Runs are stopped, die, and go on: in real processes, on a stack that all of these tests share."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from regie_toy_holder import TOYS, Holder, cleaned, processes_of, shared, until, variables_of
from regie_toy_plan import TOY
from regie_toy_run import SECONDS_TO_NOTICE, SECONDS_TO_STOP, Run, paused, unchanged

from lib.runs.control import RefusedError, StartedByHandError, cancel_run, resume_run
from lib.runs.status import RunState

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by their environment")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, make_home: Callable[[Path], Path]) -> Path:
    return make_home(tmp_path_factory.mktemp("machine") / "home")


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Holder]:
    """A stack that is up while the tests of this module go on, and that they talk to."""
    with cleaned(home), Holder(home) as holder:
        url = holder.hear("api_url")
        with temporary_settings({PREFECT_API_URL: url}):
            yield holder
        holder.leave()
        assert processes_of(home) == []


@pytest.fixture
def toy(up: Holder, home: Path, tmp_path: Path) -> Run:
    return Run(home, tmp_path)


def runs(process: psutil.Process, module: str) -> bool:
    try:
        return module in process.cmdline()
    except psutil.Error:  # it ended just now
        return False


def engines(home: Path) -> list[psutil.Process]:
    """The processes of flow runs."""
    return [process for process in processes_of(home) if runs(process, "prefect.engine")]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(("key", "only"), [("last", [1, 5]), ("left", [1, 2])], ids=["elsewhere", "in its own process"])
def test_a_run_is_stopped_within_seconds_and_goes_on_where_it_was(
    toy: Run, home: Path, key: str, only: list[int]
) -> None:
    toy.start({key: "hold"}, only=only)
    toy.wait_for_half(key)
    begun = toy.phase("start")

    assert cancel_run(toy.run_id)
    status = toy.ended(SECONDS_TO_STOP)

    assert status.state is RunState.CANCELLED
    assert toy.states() == {"start": "completed", key: "cancelled"}
    assert toy.temporary() == []
    until(lambda: all(is_gone(pid) for pid in toy.processes(key)), SECONDS_TO_STOP)
    assert cancel_run(toy.run_id) is False

    toy.mend(key)
    assert toy.resume().state is RunState.COMPLETED
    assert unchanged(begun, toy.phase("start"))
    assert len(toy.processes("start")) == 1
    assert toy.worked(key) == ["one", "two", "two"], "the item that was done is not done again"
    assert toy.phase(key).attempt == 2


@pytest.mark.long
def test_a_phase_that_does_not_listen_is_ended_with_its_process(toy: Run) -> None:
    toy.start({"last": "deaf"}, only=[5])
    toy.wait_for_half("last")
    assert cancel_run(toy.run_id)
    toy.ended(2 * SECONDS_TO_STOP)
    assert toy.states() == {"last": "cancelled"}
    assert "did not stop in time" in toy.phase("last").error
    until(lambda: all(is_gone(pid) for pid in toy.processes("last")), SECONDS_TO_STOP)
    toy.mend("last")
    assert toy.resume().state is RunState.COMPLETED


def test_a_run_that_is_stopped_before_it_has_begun_starts_nothing(toy: Run, home: Path) -> None:
    with paused("base"):
        toy.start({})
        assert cancel_run(toy.run_id)
        assert toy.ended().state is RunState.CANCELLED
    Run(home, toy.folder).start({}, only=[1]).ended()  # the workers take up runs again
    assert len(toy.processes("start")) == 1, "that of the other run"
    assert toy.status().state is RunState.CANCELLED


def test_a_run_that_is_stopped_as_a_worker_takes_it_up_leaves_nothing_at_work(toy: Run, home: Path) -> None:
    toy.start({"start": "wait"})
    assert cancel_run(toy.run_id)
    assert toy.ended().state is RunState.CANCELLED
    until(lambda: engines(home) == [], SECONDS_TO_NOTICE)
    assert toy.processes("left") == []
    assert toy.status().state is RunState.CANCELLED


def test_a_run_that_is_stopped_while_a_phase_waits_for_a_worker_starts_nothing(toy: Run, home: Path) -> None:
    with paused("scenes"):
        toy.start({}, only=[5])
        until(lambda: toy.phase("last").run_id)
        assert cancel_run(toy.run_id)
        assert toy.ended().state is RunState.CANCELLED
        until(lambda: toy.phase("last").state.final and engines(home) == [], SECONDS_TO_NOTICE)
        assert toy.states() == {"last": "cancelled"}
    Run(home, toy.folder).start({}, only=[5]).ended()
    assert len(toy.processes("last")) == 1, "that of the other run"


def test_a_run_that_failed_goes_on_with_what_failed_and_what_rests_on_it(toy: Run) -> None:
    toy.start({"left": "raise"}, only=[1, 2, 3, 4])
    status = toy.ended()
    assert status.state is RunState.PARTIAL
    assert toy.states() == {"start": "completed", "left": "failed", "right": "completed"}
    before = {phase.key: phase for phase in status.phases}

    toy.mend("left")
    status = toy.resume()
    assert status.state is RunState.COMPLETED
    assert status.progress == 100
    after = {phase.key: phase for phase in status.phases}
    assert {key for key in before if unchanged(before[key], after[key]) and after[key].run_id} == {"start", "right"}
    assert after["last"].state is RunState.SKIPPED, "it still was not asked for"
    with pytest.raises(RefusedError, match="nothing to resume"):
        resume_run(toy.run_id, {"toy": TOY})


def test_a_phase_whose_process_is_killed_crashes_and_is_run_again(toy: Run) -> None:
    toy.start({"last": "kill"}, only=[1, 5])
    assert toy.ended().state is RunState.PARTIAL
    assert toy.states() == {"start": "completed", "last": "crashed"}
    assert toy.phase("last").error
    toy.mend("last")
    assert toy.resume().state is RunState.COMPLETED
    assert toy.worked("last") == ["one", "two", "two"]


def test_when_the_orchestrator_is_killed_its_phases_elsewhere_go_on_and_are_found_again(toy: Run) -> None:
    toy.start({"last": "hold"}, only=[1, 5])
    toy.wait_for_half("last")
    before = {phase.key: phase for phase in toy.status().phases}
    [orchestrator] = toy.processes("start")
    os.kill(orchestrator, 9)
    until(lambda: toy.status().state.final, SECONDS_TO_NOTICE)
    assert toy.status().state is RunState.CRASHED
    assert toy.states() == {"start": "completed", "last": "running"}

    resume_run(toy.run_id, {"toy": TOY})
    until(lambda: toy.status().attempt == 2 and toy.status().state is RunState.RUNNING)
    toy.mend("last")
    assert toy.ended().state is RunState.COMPLETED
    after = {phase.key: phase for phase in toy.status().phases}
    assert {key: after[key].run_id for key in ("start", "last")} == {
        key: before[key].run_id for key in ("start", "last")
    }
    assert len(toy.processes("start")) == len(toy.processes("last")) == 1
    assert toy.worked("last") == ["one", "two"]


def test_when_the_orchestrator_is_killed_the_phases_in_its_process_crash_with_it(toy: Run) -> None:
    toy.start({"left": "hold"}, only=[1, 2])
    toy.wait_for_half("left")
    [orchestrator] = toy.processes("left")
    os.kill(orchestrator, 9)
    toy.becomes({"start": "completed", "left": "crashed"})
    assert toy.status().state is RunState.CRASHED
    toy.mend("left")
    assert toy.resume().state is RunState.COMPLETED
    assert toy.states() == {"start": "completed", "left": "completed"}
    assert toy.worked("left") == ["one", "two", "two"]


def test_when_the_workers_are_killed_their_runs_crash_and_new_workers_take_them_up_again(
    toy: Run, up: Holder, home: Path
) -> None:
    toy.start({"last": "hold"}, only=[1, 5])
    toy.wait_for_half("last")
    begun = toy.phase("start")
    [workers] = [process for process in processes_of(home) if runs(process, "deployments.workers")]
    workers.kill()
    toy.becomes({"start": "completed", "last": "crashed"})
    status = toy.status()
    assert status.state is RunState.CRASHED
    assert "ended without a word" in status.message
    assert "workers ended by signal SIGKILL" in up.hear("said")

    toy.mend("last")
    assert toy.resume().state is RunState.COMPLETED
    assert unchanged(begun, toy.phase("start"))
    assert toy.worked("last") == ["one", "two", "two"]


@pytest.fixture
def by_hand(toy: Run, home: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Give a function that carries out a run of the toys in a process of its own, and notes its id."""
    with ExitStack() as ending:

        def carry_out(asked: str) -> "subprocess.Popen[str]":
            url = json.loads((home / "run" / "stack.json").read_text())["api_url"]
            variables = {**variables_of(home), "PREFECT_API_URL": url, "PREFECT_HOME": str(home / "prefect")}
            command = [sys.executable, str(TOYS / "regie_toy_here.py"), asked]
            process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
            ending.callback(process.wait)
            ending.callback(process.kill)
            assert process.stdout is not None
            ending.callback(process.stdout.close)
            toy.run_id = process.stdout.readline().strip()
            return process

        yield carry_out


@pytest.mark.long
def test_a_run_in_a_process_of_its_own_is_stopped_and_goes_on_in_another(
    toy: Run, by_hand: Callable[..., "subprocess.Popen[str]"]
) -> None:
    first = by_hand(json.dumps(toy.parameters({"left": "hold"}, only=[1, 2], inline=True)))
    toy.wait_for_half("left")
    assert cancel_run(toy.run_id)
    assert toy.ended(SECONDS_TO_STOP).state is RunState.CANCELLED
    assert toy.temporary() == []
    assert first.wait(shared(SECONDS_TO_NOTICE)) == 0
    with pytest.raises(StartedByHandError):
        resume_run(toy.run_id, {"toy": TOY})

    second = by_hand(toy.run_id)
    until(lambda: toy.status().state is RunState.RUNNING and len(toy.processes("left")) == 2)
    second.kill()
    toy.becomes({"start": "completed", "left": "crashed"})
    toy.mend("left")
    assert by_hand(toy.run_id).wait(shared(SECONDS_TO_NOTICE)) == 0
    assert toy.status().state is RunState.COMPLETED
    assert len(toy.processes("start")) == 1
    assert toy.worked("left") == ["one", "two", "two", "two"]
