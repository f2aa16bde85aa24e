"""Killed at any moment, on a full disk, on one that may not be written: the old files or the new ones, nothing else."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.files import is_temporary, sha256, sweep
from lib.video.archive import archive_video, find_archived
from lib.video.finalise.options import FinaliseOptions
from lib.video.finalise.publish import publish
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results
from lib.video.results import Results

ROOT = Path(__file__).parents[3]
Write = Callable[..., Path]

KILLED = """
import os, signal, sys
from pathlib import Path
from lib.files import sha256
from lib.video.archive import archive_video
from lib.video.finalise.options import FinaliseOptions
from lib.video.finalise.publish import publish
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results

work, folder, left = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
video = folder / "project" / "film.mp4"

def audit(event, arguments):
    # Every opening, moving, linking and removing of a file is a moment to die at.
    global left
    if event in {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "shutil.copyfile"}:
        if any(str(folder) in str(argument) for argument in arguments):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(audit)
if work == "reduce":
    reduce_results(video, ReduceOptions(after_effects=True, landmarks=True))
elif work == "publish":
    publish(video.parent, folder / "output", FinaliseOptions())
else:
    archive_video(video, "project", folder / "archives", sha256(video))
"""


@pytest.fixture
def film(tmp_path: Path, make_film: Write, write_results: Write) -> Path:
    return write_results(make_film(tmp_path / "project" / "film.mp4"))


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not any(map(is_temporary, (path, path.parent))))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def killed(work: str, folder: Path, moment: int) -> bool:
    """Do some work in a process that dies at its n-th touch of a file; return whether it died."""
    command = [sys.executable, "-c", KILLED, work, str(folder), str(moment)]
    process = subprocess.run(command, cwd=ROOT, timeout=60, check=False)
    assert process.returncode in {0, -signal.SIGKILL}
    return process.returncode != 0


def moments(work: str) -> list[int]:
    chance = random.Random(work)
    return sorted({1, *chance.sample(range(2, 40), 5)})


@pytest.mark.parametrize("work", ["reduce", "publish", "archive"])
def test_killed_at_any_moment(tmp_path: Path, film: Path, write_results: Write, work: str) -> None:
    """Each file is the old or the new one after each kill, and doing it again ends as if nothing had happened."""
    publish(film.parent, tmp_path / "output", FinaliseOptions())
    archive_video(film, "project", tmp_path / "archives", sha256(film))
    write_results(film, threshold=0.7)
    old = content(tmp_path)
    deaths, seen = 0, set(old.items())
    for moment in moments(work):
        deaths += killed(work, tmp_path, moment)
        seen |= content(tmp_path).items()
    assert deaths >= 3
    assert not killed(work, tmp_path, 100_000)
    new = content(tmp_path)
    for name, data in seen:
        if name.endswith("metadata.json"):
            assert json.loads(data)["video_stem"] == "film"  # its time is another each time
        else:
            assert data in {old.get(name), new.get(name)}, name
    sweep(film.parent)
    sweep(tmp_path / "archives")
    if work == "reduce":
        assert reduce_results(film, ReduceOptions(after_effects=True, landmarks=True)).changed is False
        assert len(content(film.parent)) == 9
    elif work == "publish":
        assert content(tmp_path / "output" / "project") == content(film.parent)
    else:
        entry = find_archived(tmp_path / "archives", sha256=sha256(film))[0]
        assert entry.files["audio"].read_bytes() == Results(film).audio_json.read_bytes()
        (version,) = (entry.folder / "versions").iterdir()
        assert (version / "film_audio.json").read_bytes() == old[f"output/project/{Results(film).audio_json.name}"]
    assert not any(map(is_temporary, tmp_path.rglob("*")))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("a disk can be mounted by root only")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(disk: Path) -> None:
    with (disk / "filling").open("wb", buffering=0) as stream:
        for size in (65536, 512, 1):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError:
                continue


def test_a_full_disk(small_disk: Path, tmp_path: Path, make_film: Write, write_results: Write) -> None:
    film = write_results(make_film(small_disk / "project" / "film.mp4"))
    fill(small_disk)
    before = content(small_disk)
    with pytest.raises(InputError, match="disk is full"):
        reduce_results(film, ReduceOptions())
    with pytest.raises(InputError, match="disk is full"):
        publish(film.parent, small_disk / "output", FinaliseOptions())
    with pytest.raises(InputError, match="disk is full"):
        archive_video(film, "project", small_disk / "archives", sha256(film))
    assert content(small_disk).items() >= before.items()
    assert not any(map(is_temporary, small_disk.rglob("*")))
    (small_disk / "filling").unlink()
    assert reduce_results(film, ReduceOptions()).changed
    assert publish(film.parent, small_disk / "output", FinaliseOptions()).problems == {}


def test_a_disk_that_may_not_be_written(small_disk: Path, make_film: Write, write_results: Write) -> None:
    film = write_results(make_film(small_disk / "project" / "film.mp4"))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(InputError, match="read-only"):
        reduce_results(film, ReduceOptions())
    with pytest.raises(InputError, match="read-only"):
        publish(film.parent, small_disk / "output", FinaliseOptions())
    with pytest.raises(InputError, match="read-only"):
        archive_video(film, "project", small_disk / "archives", sha256(film))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(film: Path, tmp_path: Path) -> None:
    film.parent.chmod(0o500)
    try:
        with pytest.raises(InputError, match="may not be written"):
            reduce_results(film, ReduceOptions())
    finally:
        film.parent.chmod(0o700)
