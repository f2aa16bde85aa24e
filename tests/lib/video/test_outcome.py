import shutil
import zipfile
from pathlib import Path

import pytest

from lib.runs.report import Item, ItemState, PhaseReport
from lib.video.extract.options import ExtractOptions
from lib.video.outcome import failures_of, outputs_of
from lib.video.results import Results, find_videos
from lib.video.sources import bring_in, find_sources
from lib.video.workspace import Workspace

KINDS = {
    "csv": "scenes_csv",
    "scenes": "scenes_json",
    "audio": "audio_json",
    "rttm": "rttm",
    "tracking": "tracking_json",
    "report": "report_html",
    "edl": "edl",
    "otio": "otio",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An archive of two videos; what is in them does not matter here."""
    archive = tmp_path / "rushes.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr('day 1/it\'s a "film".mp4', b"first")
        packed.writestr("second.mov", b"second")
    return archive


@pytest.fixture
def workspace(tmp_path: Path, source: Path) -> Workspace:
    """A workspace that the archive, and another source, were brought into."""
    workspace = Workspace(tmp_path / "out")
    workspace.prepare()
    other = tmp_path / "other.mp4"
    other.write_bytes(b"other")
    for path in (source, other):
        for each in find_sources(path, ExtractOptions()):
            bring_in(each, workspace.projects, ExtractOptions())
    return workspace


def test_before_anything_was_done_there_is_nothing(tmp_path: Path, source: Path) -> None:
    assert outputs_of(str(source), str(tmp_path / "out")) == []
    assert not (tmp_path / "out").exists(), "asking makes nothing"


def test_the_videos_of_the_source_are_told_and_no_others(source: Path, workspace: Workspace) -> None:
    outputs = outputs_of(str(source), str(workspace.root))
    [project] = {output["project"] for output in outputs}
    assert project == "rushes"
    assert [output["video"] for output in outputs] == ["", 'day 1/it\'s a "film".mp4', "second.mov"]
    assert [list(output["files"]) for output in outputs] == [[], ["video"], ["video"]]


def test_only_results_that_are_there_are_named(source: Path, workspace: Workspace) -> None:
    first, second = find_videos(workspace.projects / "rushes")
    for kind in KINDS.values():
        getattr(Results(first), kind).touch()
    Results(second).scenes_csv.touch()
    _project, told, other = outputs_of(str(source), str(workspace.root))
    assert told["files"] == {"video": str(first)} | {
        name: str(getattr(Results(first), kind)) for name, kind in KINDS.items()
    }
    assert other["files"] == {"video": str(second), "csv": str(Results(second).scenes_csv)}


def test_what_was_published_is_named_rather_than_what_is_worked_on(source: Path, workspace: Workspace) -> None:
    project = workspace.projects / "rushes"
    published = workspace.output / "rushes"
    shutil.copytree(project, published)
    (published / "report.html").touch()
    (workspace.archives / "rushes").mkdir()
    own, first, second = outputs_of(str(source), str(workspace.root))
    assert own["files"] == {
        "report": str(published / "report.html"),
        "output": str(published),
        "archive": str(workspace.archives / "rushes"),
    }
    assert first["files"]["video"] == str(published / first["video"])
    assert second["files"]["video"] == str(published / second["video"])


def test_originals_that_were_kept_are_no_outputs(source: Path, workspace: Workspace) -> None:
    kept = workspace.projects / "rushes" / "originals"
    kept.mkdir()
    (kept / "second.mov").touch()
    assert len(outputs_of(str(source), str(workspace.root))) == 3


def failed(workspace: Workspace, phase: str, *subjects: str) -> None:
    items = tuple(Item(subject=subject, state=ItemState.FAILED, reason=f"{subject} is bad.") for subject in subjects)
    workspace.record(PhaseReport(phase=phase, items=items))


def test_each_file_of_the_source_that_failed_is_named_with_its_phase_and_reason(
    source: Path, workspace: Workspace
) -> None:
    first, second, another = 'rushes/day 1/it\'s a "film".mp4', "rushes/second.mov", "other/other.mp4"
    failed(workspace, "convert", first, second, another, "rushes/removed since.mp4")
    failed(workspace, "scenes", second)
    failed(workspace, "finalise", "rushes", "other")
    told = failures_of(str(source), str(workspace.root), ["extract", "convert", "finalise"])
    assert [(each["phase"], each["file"]) for each in told] == [
        ("convert", first),
        ("convert", second),
        ("finalise", "rushes"),
    ]
    assert told[1]["reason"] == "rushes/second.mov is bad."


def test_archives_that_did_not_come_in_are_named(tmp_path: Path, workspace: Workspace) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("bad", "worse"):
        (folder / f"{name}.zip").touch()
    failed(workspace, "extract", "bad", "worse", "another")
    assert [each["file"] for each in failures_of(str(folder), str(workspace.root), ["extract"])] == [
        "bad.zip",
        "worse.zip",
    ]
