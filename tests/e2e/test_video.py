"""`regie run video` as a user runs it."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.files import is_temporary

Regie = Callable[..., Any]
GOOD = ("rushes/a good one.mp4", 'rushes/with, comma & "quotes" é.mp4')
BAD = {
    "rushes/empty.mp4": "empty",
    "rushes/words.mov": "not a video",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, make_video: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("source")
    first = make_video(folder / "first.mp4")
    second = make_video(folder / "second.mp4", rate=30, sound=False)
    packed = folder / "two good two bad.zip"
    with zipfile.ZipFile(packed, "w") as opened:
        opened.write(first, GOOD[0])
        opened.write(second, GOOD[1])
        opened.writestr("rushes/empty.mp4", b"")
        opened.writestr("rushes/words.mov", "this is a text, whatever its name says")
        opened.writestr("../escapes.mp4", "evil")
    return packed


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def first_run(regie: Regie, archive: Path, out: Path) -> Any:
    return regie("run", "video", archive, "--out", out, "--json")


def test_a_run_with_bad_videos_is_partial_and_names_each_with_a_reason(first_run: Any, out: Path) -> None:
    assert first_run.code == 3, first_run.err
    assert first_run.result["state"] == "partial"
    outcomes = json.loads((out / ".regie/outcomes/convert.json").read_text())
    failed = {subject: item["reason"] for subject, item in outcomes.items() if item["state"] == "failed"}
    assert {Path(subject).name for subject in failed} == {Path(name).name for name in BAD}
    assert all(len(reason.split()) > 3 for reason in failed.values())
    report = (out / "output/two good two bad/report.html").read_text()
    assert "empty.mp4" in report
    assert "words.mov" in report


def test_the_good_videos_of_a_partial_run_are_complete(first_run: Any) -> None:
    videos = {output["video"]: output["files"] for output in first_run.result["outputs"] if output["video"]}
    for name in GOOD:
        files = videos[Path(name).name]
        assert {"video", "report", "csv", "scenes", "audio", "rttm", "tracking", "edl", "otio"} <= files.keys()
        assert all(Path(path).stat().st_size for kind, path in files.items() if kind != "rttm")


def test_a_member_that_escapes_is_refused_and_logged(first_run: Any, out: Path) -> None:
    lines = [json.loads(line) for line in (out / "security.jsonl").read_text().splitlines()]
    assert any("escapes.mp4" in json.dumps(line) for line in lines)
    assert not (out / "projects/escapes.mp4").exists()


def test_phases_run_in_their_environments_and_are_found_by_the_parent_link(
    first_run: Any, regie_variables: dict[str, str]
) -> None:
    database = sqlite3.connect(Path(regie_variables["REGIE_HOME"]) / "prefect/prefect.db")
    try:
        children = dict(
            database.execute(
                "select flow.name, work_queue_id is not null from flow_run join flow on flow.id = flow_id"
                " join task_run on task_run.id = flow_run.parent_task_run_id where task_run.flow_run_id = ?",
                (first_run.result["run_id"],),
            ).fetchall()
        )
    finally:
        database.close()
    elsewhere = {f"video-{key}" for key in ("scenes", "audio", "tracking")}
    here = {f"video-{key}" for key in ("extract", "convert", "reduce", "finalise")}
    assert {name for name, pooled in children.items() if pooled} == elsewhere
    assert {name for name, pooled in children.items() if not pooled} == here


def test_nothing_temporary_is_left(first_run: Any, out: Path) -> None:
    assert [path for path in out.rglob("*") if is_temporary(path)] == []


def test_a_second_run_does_nothing_twice(first_run: Any, regie: Regie, archive: Path, out: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (out / "projects").rglob("*") if path.is_file()}
    second = regie("run", "video", archive, "--out", out, "--json")
    assert second.code == 3
    after = {path: path.stat().st_mtime_ns for path in (out / "projects").rglob("*") if path.is_file()}
    assert {path for path, when in after.items() if before.get(path) != when} == set()
    for key in ("scenes", "audio", "tracking"):
        assert second.phase(key)["done"] == len(GOOD)


def test_the_same_video_in_another_project_is_not_analysed_twice(
    first_run: Any, regie: Regie, out: Path, tmp_path: Path
) -> None:
    known = next(path for path in (out / "projects").rglob("a good one.mp4") if "originals" not in path.parts)
    other = tmp_path / "under another name.mp4"
    other.write_bytes(known.read_bytes())
    run = regie("run", "video", other, "--out", tmp_path / "out", "--json")
    assert run.code == 0, run.err
    for key in ("scenes", "audio", "tracking"):
        (item,) = json.loads((tmp_path / f"out/.regie/outcomes/{key}.json").read_text()).values()
        assert "found by content" in item["reason"]


def test_phases_can_be_chosen(first_run: Any, regie: Regie, archive: Path, out: Path) -> None:
    run = regie("run", "video", archive, "--out", out, "--only", "6", "--json")
    assert {phase["key"] for phase in run.result["phases"] if phase["state"] != "skipped"} == {"reduce"}


def test_a_phase_whose_needed_results_are_not_there_is_refused_and_says_what_to_do(
    regie: Regie, archive: Path, tmp_path: Path
) -> None:
    run = regie("run", "video", archive, "--out", tmp_path / "out", "--only", "5", "--json")
    assert run.code == 1
    assert run.result["state"] == "failed"
    assert "Phase 5 (tracking) needs the results of phase 1 (extract)" in run.result["message"]
    assert "--from 1" in run.result["message"]
    assert {phase["state"] for phase in run.result["phases"]} == {"skipped"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nowhere.zip"], "no file or folder"),
        (["SOURCE", "--only", "x"], "numbers"),
        (["SOURCE", "--from", "5", "--to", "2"], "greater"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_why(
    regie: Regie, archive: Path, out: Path, arguments: list[str], word: str
) -> None:
    run = regie("run", "video", *(str(archive) if a == "SOURCE" else a for a in arguments), "--out", out)
    assert run.code == 2
    assert word in " ".join(run.err.split())


def test_a_source_without_any_video_fails_and_says_so(regie: Regie, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = regie("run", "video", tmp_path / "empty", "--out", tmp_path / "out", "--json")
    assert run.code == 1
    assert "no archive and no video" in run.out
