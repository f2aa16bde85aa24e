"""Several machines work for one server; one of them disappears, or is cut off for a while."""

import contextlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client
from regie_toy_cluster import HOST_LOST_AFTER, Cluster, Machine, is_running
from regie_toy_holder import until
from regie_toy_plan import TOY

from lib.runs.control import start_run
from lib.runs.process import host_of
from lib.runs.reader import run_status
from lib.runs.status import PhaseStatus, RunState, RunStatus

WORKFLOWS = {"toy": TOY}


def begin(folder: Path, **orders: str) -> str:
    parameters = {"source": "toy box", "orders": {"phases": orders, "folder": str(folder), "steps": 4, "pause": 0.01}}
    return start_run(TOY, parameters)


def status(run_id: str) -> RunStatus:
    return run_status(run_id, WORKFLOWS)


def phase(run_id: str, key: str) -> PhaseStatus:
    return next(each for each in status(run_id).phases if each.key == key)


def place(run_id: str) -> str:
    """Where a run, or a phase, is worked on."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run_id).infrastructure_pid or ""


def lines(folder: Path, book: str) -> list[str]:
    path = folder / book
    return path.read_text().splitlines() if path.exists() else []


def held(folder: Path, key: str) -> Any:
    """Wait until a phase stays in the middle of its second item."""
    return until(lambda: "two" in lines(folder, f"{key}.worked"), 180)


def finished(run_id: str) -> RunStatus:
    until(lambda: status(run_id).state.final, 180)
    return status(run_id)


def two(cluster: Cluster, *, name: str) -> tuple[Machine, Machine]:
    """Give one machine that takes up runs, and one that takes up their phases of another environment."""
    first, second = cluster.machine(f"{name}a"), cluster.machine(f"{name}b")
    first.work("base")
    second.work("scenes")
    return first, second


@pytest.mark.long
def test_the_console_of_the_cluster_answers_whoever_has_its_token(cluster: Cluster, tmp_path: Path) -> None:
    place = {"REGIE_CONSOLE_HOST": cluster.address, "REGIE_CONSOLE_PORT": str(cluster.port("console"))}
    process = cluster.run("console", tmp_path / "home", **place)
    base = f"http://{cluster.address}:{cluster.port('console')}"
    try:
        until(lambda: get(f"{base}/health") == 200)
        assert get(f"{base}/runs") == 401
        assert get(f"{base}/runs", cluster.given["REGIE_CONSOLE_TOKEN"]) == 200
    finally:
        process.terminate()
        process.wait()


def get(url: str, token: str = "") -> int:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=20).status_code
    return 0


def test_a_phase_whose_machine_disappears_is_taken_up_by_another(cluster: Cluster, folder: Path) -> None:
    _first, second = two(cluster, name="p")
    run_id = begin(folder, last="hold")
    held(folder, "last")
    before = phase(run_id, "last")
    assert before.run_id is not None
    assert host_of(place(before.run_id)) == second.name
    assert host_of(place(run_id)) != second.name
    third = cluster.machine("pc")
    third.work("scenes")
    second.die()
    until(lambda: len(lines(folder, "last.begun")) == 2, 180)
    assert host_of(place(before.run_id)) == third.name
    (folder / "last.go").touch()
    after = finished(run_id)
    assert (after.state, after.attempt) == (RunState.COMPLETED, 1)
    assert (phase(run_id, "last").run_id, phase(run_id, "last").attempt) == (before.run_id, 2)
    assert lines(folder, "last.worked") == ["one", "two", "two"], "what was done is kept"
    assert all(len(lines(folder, f"{each.key}.begun")) == 1 for each in TOY.phases if each.key != "last")


def test_a_run_whose_machine_disappears_is_taken_up_by_another(cluster: Cluster, folder: Path) -> None:
    first, second = cluster.machine("ra"), cluster.machine("rb")
    first.work("base")
    run_id = begin(folder, left="hold", last="hold")
    held(folder, "left")
    until(lambda: phase(run_id, "right").state is RunState.COMPLETED)
    assert host_of(place(run_id)) == first.name
    second.work("base", "scenes")
    first.die()
    until(lambda: len(lines(folder, "left.begun")) == 2, 180)
    assert host_of(place(run_id)) == second.name
    (folder / "left.go").touch()
    (folder / "last.go").touch()
    after = finished(run_id)
    assert (after.state, after.attempt) == (RunState.COMPLETED, 2)
    begun = {each.key: len(lines(folder, f"{each.key}.begun")) for each in TOY.phases}
    assert begun == {"start": 1, "left": 2, "right": 1, "join": 1, "last": 1}
    assert lines(folder, "left.worked") == ["one", "two", "two"]


@pytest.mark.long
def test_a_run_that_is_taken_up_adopts_the_phase_that_still_works(cluster: Cluster, folder: Path) -> None:
    first, _second = two(cluster, name="o")
    run_id = begin(folder, last="hold")
    held(folder, "last")
    working = phase(run_id, "last").run_id
    third = cluster.machine("oc")
    third.work("base")
    first.die()
    until(lambda: status(run_id).attempt == 2, 180)
    assert host_of(place(run_id)) == third.name
    (folder / "last.go").touch()
    after = finished(run_id)
    assert (after.state, after.attempt) == (RunState.COMPLETED, 2)
    assert (phase(run_id, "last").run_id, phase(run_id, "last").attempt) == (working, 1)
    assert len(lines(folder, "last.begun")) == 1


@pytest.mark.long
def test_a_machine_that_was_only_cut_off_lets_go_of_what_another_took_up(cluster: Cluster, folder: Path) -> None:
    _first, second = two(cluster, name="c")
    run_id = begin(folder, last="hold")
    held(folder, "last")
    child = phase(run_id, "last").run_id
    assert child is not None
    pid = int(place(child).rpartition(":")[2])
    third = cluster.machine("cc")
    third.work("scenes")
    second.cut_off()
    until(lambda: not is_running(pid), HOST_LOST_AFTER + 10)
    assert len(lines(folder, "last.begun")) == 1, "it has ended when another one begins"
    until(lambda: len(lines(folder, "last.begun")) == 2, 180)
    second.join_again()
    assert host_of(place(child)) == third.name
    (folder / "last.go").touch()
    after = finished(run_id)
    assert after.state is RunState.COMPLETED
    assert phase(run_id, "last").attempt == 2
    assert lines(folder, "last.worked") == ["one", "two", "two"]
