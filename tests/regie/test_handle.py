"""Runs in the hand of a Python program; no worker takes them up here, so that each stays as it is."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import anyio
import pytest
from prefect.settings import PREFECT_API_URL

import regie
from lib.runs.status import RunState, RunStatus
from lib.settings import settings
from lib.workflows import workflows
from regie.handle import PLACES, plain


@pytest.fixture(scope="module")
def toy(prefect_server: None, toy_folder: str) -> Iterator[ModuleType]:
    """The flows of the toy workflow, deployed on a server that the environment names."""
    import regie_toy

    from deployments.register import register

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGIE_WORKFLOWS", '["regie_toy_plan:TOY"]')
        patch.setenv("PREFECT_API_URL", PREFECT_API_URL.value() or "")
        settings.cache_clear()
        workflows.cache_clear()
        anyio.run(register, Path("envs"))
        yield regie_toy
    settings.cache_clear()
    workflows.cache_clear()


@pytest.fixture
def waiting(toy: ModuleType) -> regie.Run:
    return regie.start("toy", source="box", only=[1, 2])


def ended(toy: ModuleType, **orders: str) -> regie.Run:
    state = toy.toy(source="/box", orders={"phases": orders}, inline=True, return_state=True)
    return regie.run(str(state.state_details.flow_run_id))


def test_a_run_is_started_where_the_server_is(waiting: regie.Run) -> None:
    status = waiting.status()
    assert (status.run_id, status.workflow, status.state) == (waiting.id, "toy", RunState.PENDING)
    assert [phase.key for phase in status.phases if phase.state is not RunState.SKIPPED] == ["start", "left"]


def test_the_newest_run_is_at_hand(waiting: regie.Run) -> None:
    assert regie.latest() == regie.latest("toy") == regie.run(waiting.id) == waiting


def test_who_waits_too_long_is_told_and_the_run_goes_on(waiting: regie.Run) -> None:
    with pytest.raises(TimeoutError, match=r"still goes on, after 0 s"):
        waiting.wait(timeout=0.1)
    assert waiting.status().state is RunState.PENDING


def test_a_run_is_stopped_and_goes_on(waiting: regie.Run) -> None:
    assert waiting.cancel()
    assert waiting.wait(timeout=60).state is RunState.CANCELLED
    assert not waiting.cancel()
    waiting.resume()
    assert not waiting.status().over
    with pytest.raises(regie.InputError, match="still going on"):
        waiting.resume()


def test_waiting_for_a_run_that_completed_tells_of_its_end_once(toy: ModuleType) -> None:
    seen: list[RunStatus] = []
    status = ended(toy).wait(progress=seen.append, check=True)
    assert seen == [status]
    assert (status.state, status.progress) == (RunState.COMPLETED, 100)


def test_a_run_that_did_not_complete_is_an_error_for_whoever_asks_for_that(toy: ModuleType) -> None:
    run = ended(toy, left="raise")
    assert run.wait().state is RunState.PARTIAL
    with pytest.raises(
        regie.RunEndedError, match=r"The run of box is partial: Left: The toy is broken\. Mend it"
    ) as told:
        run.wait(check=True)
    assert told.value.status.run_id == run.id


def test_the_lines_of_a_run_are_read(toy: ModuleType) -> None:
    run = ended(toy, left="raise")
    lines = run.logs(level="warning", phases=[""])
    assert [line.phase for line in lines] == [""] * len(lines)
    with pytest.raises(regie.InputError, match="no level"):
        run.logs(level="loud")


def test_it_works_inside_an_event_loop(waiting: regie.Run) -> None:
    async def cell() -> RunStatus:
        return regie.latest("toy").status()

    assert asyncio.run(cell()).run_id == waiting.id


@pytest.mark.parametrize("run_id", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_run_that_there_is_not_is_said_to_be_none(toy: ModuleType, run_id: str) -> None:
    with pytest.raises(regie.InputError, match="There is no run"):
        regie.run(run_id)


def test_what_cannot_be_started_is_said(toy: ModuleType) -> None:
    with pytest.raises(regie.InputError, match="There is no workflow opera: there are video, offers, toy"):
        regie.start("opera")
    with pytest.raises(regie.InputError, match="no parameter 'sauce'"):
        regie.start("toy", sauce="box")


def test_where_no_server_is_up_it_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(regie.InputError, match="start it with `regie up`"):
        regie.latest()


def test_relative_places_are_meant_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert plain({"source": "a", "out": Path("b"), "only": (1, 2)}) == {
        "source": str(tmp_path / "a"), "out": str(tmp_path / "b"), "only": [1, 2],
    }  # fmt: skip
    assert plain({"source": "s3://rushes/a", "out": "/b"}) == {"source": "s3://rushes/a", "out": "/b"}
    assert plain(dict.fromkeys(PLACES)) == dict.fromkeys(PLACES)


def test_importing_it_and_the_flow_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'mediapipe', 'pyannote', 'pyarrow', 'scipy', 'sklearn', 'onnxruntime'}"
    code = (
        f"import sys, regie; assert 'prefect' not in sys.modules; import flows.video; print({heavy} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
