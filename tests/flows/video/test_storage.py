"""Phases work on a bucket as on a folder: whichever machine takes one up goes on where another one was."""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
import s3fs
from prefect import State, tags
from prefect.states import Completed

from flows.orchestration import workflow_flow
from flows.video import convert, place, video_pipeline
from flows.video.convert import convert_phase
from flows.video.place import claimed
from lib.settings import settings
from lib.storage import held
from lib.storage.hold import FOLDER
from lib.video.options import VideoOptions
from lib.video.outcome import failures_of, outputs_of

BASE = [1, 2, 7]
"""The phases that need no other environment than the tests' own."""
Machine = Callable[[str], None]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    made = ["-f", "lavfi", "-i", "testsrc2=s=96x64:r=30:d=0.5", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *made, str(path)], check=True)
    return path


@pytest.fixture
def on_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Give a function after which everything happens on a machine of that name, with a disk of its own."""

    def move(name: str) -> None:
        monkeypatch.setenv("REGIE_HOME", str(tmp_path / name))
        settings.cache_clear()

    yield move
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def bucket(s3: str, film: Path) -> str:
    """Give a bucket with a folder of one film."""
    s3fs.S3FileSystem().put_file(str(film), f"{s3}/day one/é film.mp4")
    return s3


def run(source: str, out: str, only: list[int] | None = None, **more: Any) -> Any:
    options = VideoOptions.model_validate({"finalise": {"archive": False}})
    return video_pipeline(source, out, options, only=only or BASE, inline=True, return_state=True, **more)


def listed(url: str) -> dict[str, tuple[Any, ...]]:
    system = s3fs.S3FileSystem(use_listings_cache=False)
    found = system.find(url, detail=True)
    return {name.partition("/")[2]: (info["ETag"], info["LastModified"]) for name, info in found.items()}


@pytest.mark.usefixtures("prefect_server")
def test_a_run_from_a_bucket_to_a_bucket_and_again_on_another_machine(bucket: str, on_machine: Machine) -> None:
    source, out = f"{bucket}/day one", f"{bucket}/out"
    on_machine("one")
    run(source, out)
    left = listed(out)
    assert {"out/projects/day one/é film.mp4", "out/projects/day one/originals/é film.mp4"} <= left.keys()
    assert "out/output/day one/é film.mp4" in left
    assert not [name for name in left if "held" in name or "regie-tmp" in name or name.endswith("/lock")]
    project, video = outputs_of(source, out)
    assert project["files"]["report"] == f"{out}/output/day one/report.html"
    assert video["files"]["video"] == f"{out}/output/day one/é film.mp4"

    on_machine("two")
    run(source, out)
    assert listed(out) == left, "another machine finds nothing to do, and writes nothing"


@pytest.mark.usefixtures("prefect_server")
def test_phases_on_two_machines(bucket: str, on_machine: Machine, tmp_path: Path) -> None:
    source, out = f"{bucket}/day one/é film.mp4", f"{bucket}/out"
    on_machine("one")
    assert run(source, out, [1]).is_completed()
    on_machine("two")
    state = run(source, out, [2])
    assert state.is_completed(), state.message
    mirrored = {path.name for path in (tmp_path / "two/mirrors").rglob("*.mp4")}
    assert mirrored == {"é film.mp4"}
    assert "out/projects/é film/originals/é film.mp4" in listed(out)


@pytest.mark.usefixtures("prefect_server")
def test_one_bad_archive_in_a_bucket_fails_itself(bucket: str, on_machine: Machine) -> None:
    s3fs.S3FileSystem().pipe_file(f"{bucket}/day one/broken.zip", b"PK\x03\x04 but no more")
    source, out = f"{bucket}/day one", f"{bucket}/out"
    on_machine("one")
    state = run(source, out, [1])
    assert state.name == "Partial"
    [failed] = failures_of(source, out, ["extract"])
    assert failed["file"] == "broken.zip"
    s3fs.S3FileSystem().rm_file(f"{bucket}/day one/broken.zip")
    assert run(source, out, [1]).is_completed(), "what changed in the source is looked at again"


@pytest.mark.usefixtures("prefect_server")
def test_archives_are_deleted_on_request_only_and_once_all_is_safe(
    bucket: str, on_machine: Machine, film: Path, tmp_path: Path
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "rushes.zip", "w") as packed:
        packed.write(film, "film.mp4")
    s3fs.S3FileSystem().put_file(str(tmp_path / "rushes.zip"), f"{bucket}/in/rushes.zip")
    on_machine("one")
    options = VideoOptions.model_validate({"extract": {"delete_archive": True}})
    state = video_pipeline(f"{bucket}/in", f"{bucket}/out", options, only=[1], inline=True, return_state=True)
    assert state.is_completed(), state.message
    assert listed(f"{bucket}/in") == {}
    assert "out/projects/rushes/film.mp4" in listed(f"{bucket}/out")


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("in_main", [True, False])
def test_a_run_that_is_taken_over_from_ends_in_words_and_not_with_its_program(
    s3: str, on_machine: Machine, in_main: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_machine("one")
    monkeypatch.setattr(place, "held", partial(held, beat=0.1))

    @workflow_flow("toy")
    def toy(out: str) -> State[Any]:
        with claimed(out) as here:
            assert here.mirror
            here.mirror.remote.delete(here.mirror.remote.list(FOLDER))
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                time.sleep(0.05)
        return Completed(message="It was not told")

    def work() -> State[Any]:
        return toy(f"{s3}/out", return_state=True)  # type: ignore[no-any-return]

    if in_main:
        state = work()
    else:
        with ThreadPoolExecutor() as threads:
            state = threads.submit(work).result(120)
    assert state.is_failed()
    assert f"Another run took over {s3}/out" in str(state.message)


@pytest.mark.usefixtures("prefect_server")
def test_a_phase_of_a_run_that_was_taken_over_from_hands_nothing_over(bucket: str, on_machine: Machine) -> None:
    source, out = f"{bucket}/day one", f"{bucket}/out"
    on_machine("one")
    assert run(source, out, [1]).is_completed()
    s3fs.S3FileSystem().pipe_file(f"{out}/{FOLDER}/another.1234.claim", b"{}")
    before = listed(out)
    with tags("run:first"):
        state = convert_phase(source, out, VideoOptions(), return_state=True)
    assert state.is_failed()
    assert "Another run took over" in str(state.message)
    assert listed(out) == before
    with tags("run:another"):
        assert convert_phase(source, out, VideoOptions(), return_state=True).is_completed()


@pytest.mark.usefixtures("prefect_server")
def test_a_phase_ends_when_its_run_is_taken_over_from_while_it_works(
    bucket: str, on_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = f"{bucket}/day one", f"{bucket}/out"
    on_machine("one")
    assert run(source, out, [1]).is_completed()
    before = listed(out).keys()
    converted = convert.convert

    def meanwhile(*given: Any) -> Any:
        s3fs.S3FileSystem().pipe_file(f"{out}/{FOLDER}/another.1234.claim", b"{}")
        return converted(*given)

    monkeypatch.setattr(convert, "convert", meanwhile)
    with tags("run:first"):
        state = convert_phase(source, out, VideoOptions(), return_state=True)
    assert state.is_failed()
    assert "Another run took over" in str(state.message)
    assert listed(out).keys() - before == {f"out/{FOLDER}/another.1234.claim"}


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("source", ["s3://key:secret@bucket/x", "s3://no-such-bucket-here/x"])
def test_what_is_wrong_with_a_url_is_said_without_a_secret(s3: str, on_machine: Machine, source: str) -> None:
    on_machine("one")
    state = run(source, f"{s3}/out", [1])
    assert state.is_failed()
    assert "secret" not in str(state.message).replace("AWS_SECRET_ACCESS_KEY", "")
