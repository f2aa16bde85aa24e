"""Machines that share no folder but a bucket: a run goes on where a machine that disappeared had left it."""

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest
from moto.server import ThreadedMotoServer
from prefect.client.orchestration import get_client
from regie_toy_cluster import Cluster
from regie_toy_holder import until

from lib.runs.control import start_run
from lib.runs.process import host_of
from lib.runs.reader import run_status
from lib.runs.status import PhaseStatus, RunState
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO

FILMS = 5


@pytest.fixture
def storage(cluster: Cluster) -> Iterator[dict[str, str]]:
    """Give the variables by which every machine reaches a server that speaks S3."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=cluster.address, port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    yield {
        "AWS_ACCESS_KEY_ID": "key of a test",
        "AWS_SECRET_ACCESS_KEY": "secret of a test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{cluster.address}:{port}",
    }
    server.stop()


@pytest.fixture
def bucket(storage: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a bucket with a folder of films."""
    for name, value in storage.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("studio")
    for number in range(FILMS):
        film = tmp_path / f"{number}.mp4"
        made = [
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=s=640x360:r=30:d={5 + number}",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
        ]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *made, "-pix_fmt", "yuv420p", str(film)]
        subprocess.run(command, check=True)
        system.put_file(str(film), f"studio/day/{film.name}")
    return "s3://studio"


def phase(run_id: str, key: str) -> PhaseStatus:
    return next(each for each in run_status(run_id, {"video": VIDEO}).phases if each.key == key)


@pytest.mark.long
def test_a_run_goes_on_in_a_bucket_when_its_machine_disappears(
    cluster: Cluster, folder: Path, storage: dict[str, str], bucket: str
) -> None:
    first, second = cluster.machine("sa"), cluster.machine("sb")
    first.work("base", **storage)
    options = VideoOptions.model_validate({"finalise": {"archive": False}}).model_dump(mode="json")
    parameters = {"source": f"{bucket}/day", "out": f"{bucket}/out", "options": options, "only": [1, 2]}
    run_id = start_run(VIDEO, parameters)
    until(lambda: phase(run_id, "convert").done >= 1, 180)
    first.die()
    second.work("base", **storage)
    until(lambda: run_status(run_id, {"video": VIDEO}).state.final, 240)
    after = run_status(run_id, {"video": VIDEO})
    assert (after.state, after.attempt) == (RunState.COMPLETED, 2), after.message
    assert (phase(run_id, "extract").attempt, phase(run_id, "convert").attempt) == (1, 2)
    with get_client(sync_client=True) as client:
        assert host_of(client.read_flow_run(run_id).infrastructure_pid) == second.name
    import s3fs

    system = s3fs.S3FileSystem(use_listings_cache=False)
    assert len(system.glob("studio/out/projects/*/*.mp4")) == FILMS
    assert not [name for name in system.find("studio/out") if "regie-tmp" in name]
