"""Runs whose orchestrator and phases work in containers: on a real Docker engine, on a stack that these tests share."""

import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from regie_toy_holder import TOYS, Holder, cleaned, processes_of, until
from regie_toy_run import SECONDS_TO_NOTICE, SECONDS_TO_STOP, Run, pause, unchanged

from deployments.environments import ENVIRONMENTS
from deployments.pools import pool_name
from lib.containers import WORKER, engine
from lib.files import is_temporary
from lib.runs.control import cancel_run, resume_run, start_run
from lib.runs.process import CONTAINER
from lib.runs.reader import run_status
from lib.runs.status import PhaseStatus, RunState
from lib.video.finalise.check import check_results
from lib.video.plan import VIDEO

if TYPE_CHECKING:
    from deployments.images.building import Built


BEFORE = ("extract", "convert", "scenes", "audio")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that these tests share with containers."""
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def variables(machine: Path, regie_images: dict[str, "Built"]) -> dict[str, str]:
    """What is set for a stack whose containers know the toys: the code of Régie is in the image, theirs is shared."""
    base = regie_images["base"]
    return {
        "REGIE_PROFILE": "docker",
        # What the toys need is in every image.
        "REGIE_DOCKER_IMAGES": json.dumps({key: regie_images.get(key, base).name for key in ENVIRONMENTS}),
        "REGIE_DOCKER_VOLUMES": json.dumps([str(machine.parent), str(TOYS)]),
        "REGIE_DOCKER_VARIABLES": json.dumps(["PYTHONPATH"]),
    }


@pytest.fixture(scope="module")
def up(machine: Path, variables: dict[str, str]) -> Iterator[Holder]:
    home = machine / "home"
    with cleaned(home), Holder(home, **variables) as holder:
        url = holder.hear("api_url")
        with temporary_settings({PREFECT_API_URL: url}):
            yield holder
        holder.leave()
        assert processes_of(home) == []
        assert containers_of(home) == []


@pytest.fixture
def toy(up: Holder, machine: Path, tmp_path: Path) -> Run:
    return Run(machine / "home", tmp_path)


def containers_of(home: Path) -> list[str]:
    """The names of the containers of runs that there are for a home of Régie, at work or not."""
    with engine() as client:
        found = client.containers.list(all=True, filters={"label": WORKER}, ignore_removed=True)
        return [each.name for each in found if f"REGIE_HOME={home}" in each.attrs["Config"]["Env"]]


def container_of(run_id: str) -> str:
    """The name of the container that works on a flow run."""
    with get_client(sync_client=True) as client:
        place = client.read_flow_run(run_id).infrastructure_pid
    return str(place).rpartition(":")[2]


def test_a_run_is_stopped_within_seconds_and_goes_on_where_it_was(toy: Run) -> None:
    toy.start({"last": "hold"}, only=[1, 5])
    toy.wait_for_half("last")
    begun = toy.phase("start")
    assert set(containers_of(toy.home)) == {container_of(toy.run_id), container_of(toy.phase("last").run_id)}

    assert cancel_run(toy.run_id)
    until(lambda: container_of(toy.phase("last").run_id) not in containers_of(toy.home), SECONDS_TO_STOP)
    assert toy.ended().state is RunState.CANCELLED
    assert toy.states() == {"start": "completed", "last": "cancelled"}
    assert toy.temporary() == []
    until(lambda: containers_of(toy.home) == [], SECONDS_TO_STOP)

    toy.mend("last")
    assert toy.resume().state is RunState.COMPLETED
    assert unchanged(begun, toy.phase("start"))
    assert toy.worked("last") == ["one", "two", "two"], "the item that was done is not done again"


@pytest.mark.long
def test_a_phase_that_does_not_listen_is_ended_with_its_container(toy: Run) -> None:
    toy.start({"last": "deaf"}, only=[5])
    toy.wait_for_half("last")
    assert cancel_run(toy.run_id)
    toy.ended(2 * SECONDS_TO_STOP)
    assert "did not stop in time" in toy.phase("last").error
    until(lambda: containers_of(toy.home) == [], SECONDS_TO_STOP)


def test_a_run_that_is_stopped_as_a_worker_takes_it_up_leaves_nothing_at_work(toy: Run) -> None:
    toy.start({"start": "wait"})
    assert cancel_run(toy.run_id)
    assert toy.ended().state is RunState.CANCELLED
    until(lambda: containers_of(toy.home) == [], SECONDS_TO_NOTICE)
    assert toy.processes("left") == []
    assert toy.status().state is RunState.CANCELLED


def test_a_phase_whose_container_is_killed_crashes_and_is_run_again(toy: Run) -> None:
    toy.start({"last": "hold"}, only=[1, 5])
    toy.wait_for_half("last")
    with engine() as client:
        client.containers.get(container_of(toy.phase("last").run_id)).kill()
    assert toy.ended(SECONDS_TO_NOTICE).state is RunState.PARTIAL
    assert toy.states() == {"start": "completed", "last": "crashed"}
    assert "137" in toy.phase("last").error, "it says by what"
    toy.mend("last")
    assert toy.resume().state is RunState.COMPLETED
    assert toy.worked("last") == ["one", "two", "two"]


def test_when_the_workers_are_killed_their_containers_end_and_new_workers_take_the_run_up_again(toy: Run) -> None:
    toy.start({"last": "hold"}, only=[1, 5])
    toy.wait_for_half("last")
    begun = toy.phase("start")
    [workers] = [each for each in processes_of(toy.home) if "deployments.workers" in each.cmdline()]
    workers.kill()
    until(lambda: containers_of(toy.home) == [], SECONDS_TO_STOP)
    toy.becomes({"start": "completed", "last": "crashed"})
    assert toy.status().state is RunState.CRASHED
    toy.mend("last")
    assert toy.resume().state is RunState.COMPLETED
    assert unchanged(begun, toy.phase("start"))
    assert toy.worked("last") == ["one", "two", "two"]


def test_an_image_that_there_is_not_is_said(toy: Run) -> None:
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(
            client.read_deployment_by_name("toy-last/regie").id,
            parameters=toy.parameters({}, only=None),
            job_variables={"image": "regie-nothing:0"},
        )
        until(lambda: (state := client.read_flow_run(run.id).state) and state.is_final())
        state = client.read_flow_run(run.id).state
    assert state is not None
    assert "There is no image regie-nothing:0 on this machine: `regie images build`" in str(state.message)


@pytest.mark.long
def test_runs_outlive_a_change_of_the_profile(tmp_path: Path, variables: dict[str, str]) -> None:
    home = tmp_path / "home"
    with cleaned(home):
        with Holder(home) as before, temporary_settings({PREFECT_API_URL: before.hear("api_url")}):
            failed = Run(home, tmp_path).start({"last": "raise"}, only=[1, 5])
            assert failed.ended().state is RunState.PARTIAL
            begun = failed.phase("start")
            pause("base", is_paused=True)
            waiting = Run(home, tmp_path).start({}, only=[1])
            before.leave()
        with Holder(home, **variables) as after, temporary_settings({PREFECT_API_URL: after.hear("api_url")}):
            with get_client(sync_client=True) as client:
                assert {pool.type for pool in client.read_work_pools()} == {"docker"}
            assert waiting.status().state is RunState.PENDING
            pause("base", is_paused=False)
            assert waiting.ended().state is RunState.COMPLETED
            failed.mend("last")
            assert failed.resume().state is RunState.COMPLETED
            assert unchanged(begun, failed.phase("start"))
            # What works as the stack is left is told to end, and can say so.
            held = Run(home, tmp_path).start({"right": "hold"}, only=[1, 3])
            held.wait_for_half("right")
            after.leave()
        assert processes_of(home) == []
        assert containers_of(home) == []
        assert held.temporary() == []


@pytest.mark.long
def test_a_source_that_is_not_shared_is_said(up: Holder, tmp_path: Path) -> None:
    run_id = start_run(VIDEO, {"source": "/elsewhere/rushes.zip", "out": str(tmp_path)})
    until(lambda: run_status(run_id, {"video": VIDEO}).state.final)
    assert "/elsewhere/rushes.zip is in no folder that containers share" in run_status(run_id, {"video": VIDEO}).message


def film(path: Path, seconds: int) -> Path:
    """Make a video of two scenes with a tone."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc2=s=480x270:r=30:d={seconds / 2}"]
    command += ["-f", "lavfi", "-i", "mandelbrot=s=480x270:r=30", "-f", "lavfi", "-i", "sine=f=440:r=16000"]
    command += ["-filter_complex", "[0:v][1:v]concat=n=2:v=1[v]", "-map", "[v]", "-map", "2:a", "-t", str(seconds)]
    subprocess.run([*command, "-c:a", "aac", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


@pytest.mark.long
def test_a_whole_run_of_video_in_containers_is_seen_stopped_and_finished(
    up: Holder, machine: Path, tmp_path: Path, regie_images: dict[str, "Built"]
) -> None:
    archive, out = tmp_path / "rushes.zip", tmp_path / "out"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, seconds in (("a short one.mp4", 2), ("b long one.mp4", 20)):
            packed.write(film(tmp_path / name, seconds), name)
    run_id = start_run(VIDEO, {"source": str(archive), "out": str(out)})

    def phases() -> dict[str, PhaseStatus]:
        return {phase.key: phase for phase in run_status(run_id, {"video": VIDEO}).phases}

    # In the middle of the long one: how far it is comes out of the container while it works.
    until(lambda: (now := phases()["tracking"]).done == 1 and "b long one" in now.item, 300)
    before = phases()
    assert before["tracking"].state is RunState.RUNNING
    assert 0 < before["tracking"].progress < 100
    elsewhere = {key: before[key].run_id for key in ("scenes", "audio", "tracking")}
    with get_client(sync_client=True) as client:
        for key, phase_id in elsewhere.items():
            found = client.read_flow_run(phase_id)
            assert found.work_pool_name == pool_name(key)
            assert f":{CONTAINER}{phase_id}-" in str(found.infrastructure_pid)
    container = container_of(str(elsewhere["tracking"]))
    with engine() as client:
        assert client.containers.get(container).attrs["Config"]["Image"] == regie_images["tracking"].name

    assert cancel_run(run_id)
    until(lambda: container not in containers_of(machine / "home"), SECONDS_TO_STOP)
    until(lambda: run_status(run_id, {"video": VIDEO}).state.final)
    assert run_status(run_id, {"video": VIDEO}).state is RunState.CANCELLED
    assert phases()["tracking"].state is RunState.CANCELLED
    assert [path for path in out.rglob("*") if is_temporary(path)] == []

    resume_run(run_id, {"video": VIDEO})
    until(lambda: run_status(run_id, {"video": VIDEO}).state.final, 300)
    status = run_status(run_id, {"video": VIDEO})
    assert (status.run_id, status.state) == (run_id, RunState.COMPLETED), status.message
    after = phases()
    assert [key for key in BEFORE if not unchanged(before[key], after[key])] == [], "these are not run again"
    assert after["tracking"].attempt == 2
    for video in (out / "projects/rushes").glob("*.mp4"):
        assert check_results(video) == []
    assert (out / "output/rushes/report.html").exists()
    assert {path.stat().st_uid for path in out.rglob("*")} == {os.getuid()}
    until(lambda: containers_of(machine / "home") == [], SECONDS_TO_STOP)
