"""Everything is killed in the middle of a phase, then the same command runs again: nothing is lost or half-written."""

import contextlib
import json
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lib.files import is_temporary
from lib.video.finalise.check import check_results

PHASES = ("extract", "convert", "scenes", "audio", "tracking", "reduce", "finalise")


@pytest.mark.long  # `test_resume` kills in the middle of tracking
@pytest.mark.parametrize("phase", PHASES)
def test_a_run_that_was_killed_is_finished_by_the_next(
    phase: str,
    regie: Callable[..., Any],
    regie_command: Path,
    regie_variables: dict[str, str],
    make_video: Callable[..., Path],
    make_home: Callable[[Path], Path],
    tmp_path: Path,
) -> None:
    film = make_video(tmp_path / f"killed in {phase}.mp4", seconds=8, rate=30, size="640x360")
    archive, out = tmp_path / "rushes.zip", tmp_path / "out"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(film, film.name)
    # A home of its own: its cache would know the results of another run.
    variables = {**regie_variables, "REGIE_HOME": str(make_home(tmp_path / "home"))}
    command = [str(regie_command), "run", "video", str(archive), "--out", str(out), "--json"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(phase, Path(variables["REGIE_HOME"]), process)
        kill(process)
    for path in out.rglob("*.json"):
        if not is_temporary(path):
            json.loads(path.read_bytes())

    again = regie("run", "video", archive, "--out", out, "--json", REGIE_HOME=variables["REGIE_HOME"])

    assert again.code == 0, again.out + again.err
    assert [path for path in out.rglob("*") if is_temporary(path)] == []
    (video,) = (out / "projects/rushes").glob("*.mp4")
    assert check_results(video) == []
    assert (out / "projects/rushes/originals" / film.name).read_bytes() == film.read_bytes()
    assert (out / "output/rushes/report.html").exists()


def wait_for(phase: str, home: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a phase has begun its work."""
    wanted = {"flows": {"name": {"any_": [f"video-{phase}"]}}, "flow_runs": {"start_time": {"is_null_": False}}}
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, httpx.HTTPError):
            url = json.loads((home / "run/stack.json").read_text())["api_url"]
            if httpx.post(f"{url}/flow_runs/filter", json=wanted, timeout=5).json():
                return
    pytest.fail(f"the phase {phase} never began")


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started as a power cut would."""
    parent = psutil.Process(process.pid)
    family = [parent, *parent.children(recursive=True)]
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(family, timeout=10)
