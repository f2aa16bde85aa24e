"""Real runs of the `regie` command: a server, workers, and every environment."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil
import pytest

from deployments import environments

REGIE = Path(sys.executable).with_name("regie")
ROOTS = Path(sys.prefix) / "envs"


@dataclass(frozen=True)
class Ended:
    """What a `regie` command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        return json.loads(self.out)

    def phase(self, key: str) -> dict[str, Any]:
        return next(phase for phase in self.result["phases"] if phase["key"] == key)


Regie = Callable[..., Ended]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def regie_variables(tmp_path_factory: pytest.TempPathFactory, make_home: Callable[[Path], Path]) -> dict[str, str]:
    missing = [key for key in environments.ENVIRONMENTS if not environments.python(key, ROOTS).exists()]
    if missing:
        pytest.skip(f"these environments are not made: {', '.join(missing)} (make setup)")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
    home = make_home(tmp_path_factory.mktemp("machine") / "home")
    return {**kept, "REGIE_HOME": str(home), "REGIE_CONSOLE_PORT": str(free_port())}


@pytest.fixture(scope="session")
def regie_command() -> Path:
    """Give the path of the `regie` command."""
    return REGIE


@pytest.fixture(scope="session")
def up(regie_variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep `regie up` running, so that runs need not bring their own server up; end it by Ctrl-C."""
    log = tmp_path_factory.mktemp("up") / "log"
    with (
        log.open("w") as said,
        subprocess.Popen([str(REGIE), "up", "--port", str(free_port())], env=regie_variables, stderr=said) as process,
    ):
        deadline = time.monotonic() + 180
        while "is up" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        family = psutil.Process(process.pid).children(recursive=True)
        yield
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert "Everything has ended" in log.read_text()
    assert [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []


@pytest.fixture(scope="session")
def regie(regie_variables: dict[str, str], up: None) -> Regie:
    def call(*arguments: object, **variables: str) -> Ended:
        done = subprocess.run(
            [str(REGIE), *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**regie_variables, **variables},
            timeout=600,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def make_video() -> Callable[..., Path]:
    """Give a function that makes a video of two scenes with a tone."""

    def make(path: Path, *, seconds: float = 4, rate: float = 25, size: str = "320x180", sound: bool = True) -> Path:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
        command += ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds / 2}"]
        command += ["-f", "lavfi", "-i", f"mandelbrot=s={size}:r={rate}"]
        command += ["-f", "lavfi", "-i", "sine=f=440:r=16000"] if sound else []
        command += ["-filter_complex", "[0:v][1:v]concat=n=2:v=1[v]", "-map", "[v]"]
        command += ["-map", "2:a", "-c:a", "aac"] if sound else []
        command += ["-t", str(seconds), "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)]
        subprocess.run(command, check=True)
        return path

    return make
