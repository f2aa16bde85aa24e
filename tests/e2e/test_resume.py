"""A run of video whose workers are killed in the middle of a phase goes on under the same id."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from regie_toy_holder import processes_of, until

from lib.files import is_temporary
from lib.runs.control import resume_run, start_run
from lib.runs.reader import run_status
from lib.runs.status import PhaseStatus, RunState
from lib.video.finalise.check import check_results
from lib.video.plan import VIDEO

BEFORE = ("extract", "convert", "scenes", "audio")


@pytest.fixture
def machine(up: None, regie_variables: dict[str, str]) -> Iterator[Path]:
    """The home of a machine that is up, whose server the test talks to."""
    home = Path(regie_variables["REGIE_HOME"])
    url = json.loads((home / "run/stack.json").read_text())["api_url"]
    with temporary_settings({PREFECT_API_URL: url}):
        yield home


@pytest.mark.long
def test_a_run_whose_workers_are_killed_in_tracking_goes_on_where_it_was(
    machine: Path, make_video: Callable[..., Path], tmp_path: Path
) -> None:
    archive, out = tmp_path / "rushes.zip", tmp_path / "out"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, seconds in (("a short one.mp4", 2), ("b long one.mp4", 16)):
            film = make_video(tmp_path / name, seconds=seconds, rate=30, size="480x270")
            packed.write(film, film.name)
    run_id = start_run(VIDEO, {"source": str(archive), "out": str(out)})

    def phases() -> dict[str, PhaseStatus]:
        return {phase.key: phase for phase in run_status(run_id, {"video": VIDEO}).phases}

    def tracked() -> list[dict[str, Any]]:
        book = out / ".regie/outcomes/tracking.json"
        return list(json.loads(book.read_text()).values()) if book.exists() else []

    until(lambda: len(tracked()) == 1, 300)
    before, [short] = phases(), tracked()
    cuts = {path: path.stat().st_mtime_ns for path in (out / "projects").rglob("a short one*scenes*")}
    [workers] = [process for process in processes_of(machine) if "deployments.workers" in process.cmdline()]
    family = [workers, *workers.children(recursive=True)]
    workers.kill()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == [], "they end with the workers"
    until(lambda: phases()["tracking"].state is RunState.CRASHED, 60)
    assert run_status(run_id, {"video": VIDEO}).state is RunState.CRASHED

    resume_run(run_id, {"video": VIDEO})
    until(lambda: run_status(run_id, {"video": VIDEO}).state.final, 400)

    status = run_status(run_id, {"video": VIDEO})
    assert (status.run_id, status.state) == (run_id, RunState.COMPLETED), status.message
    after = phases()
    for key in BEFORE:
        assert (after[key].run_id, after[key].started, after[key].ended) == (
            before[key].run_id,
            before[key].started,
            before[key].ended,
        ), f"{key} was not run again"
    assert after["tracking"].attempt == 2
    assert short in tracked(), "the video that was done was kept, with the seconds that it had taken"
    assert cuts
    assert {path: path.stat().st_mtime_ns for path in cuts} == cuts
    assert [item["state"] for item in tracked()] == ["done", "done"]
    assert [path for path in out.rglob("*") if is_temporary(path)] == []
    for video in (out / "projects/rushes").glob("*.mp4"):
        assert check_results(video) == []
    assert (out / "output/rushes/report.html").exists()
