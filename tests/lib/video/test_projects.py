import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.files import sha256
from lib.video.archive import archive_video
from lib.video.finalise.options import FinaliseOptions
from lib.video.finalise.publish import publish
from lib.video.hashes import HashBook
from lib.video.projects import Project, list_projects
from lib.video.results import Results

Write = Callable[..., Path]


@pytest.fixture
def film(tmp_path: Path, make_film: Write, write_results: Write) -> Path:
    return write_results(make_film(tmp_path / "projects" / "103 Camille" / "docs" / "film.mp4"))


def listed(tmp_path: Path, hashes: HashBook | None = None) -> list[Project]:
    return list_projects(tmp_path / "projects", tmp_path / "archives", tmp_path / "output", hashes)


def test_nothing_yet(tmp_path: Path) -> None:
    assert listed(tmp_path) == []


def test_an_active_project(tmp_path: Path, film: Path) -> None:
    (project,) = listed(tmp_path)
    assert (project.name, project.active, project.published) == ("103 Camille", True, None)
    (video,) = project.videos
    assert (video.name, video.path) == ("docs/film.mp4", film)
    assert set(video.results) == {"scenes", "audio", "tracking", "scenes_json", "rttm"}
    assert set(video.results.values()) == {"project"}


def test_active_and_archived_are_merged(tmp_path: Path, film: Path) -> None:
    archive_video(film, "103 Camille", tmp_path / "archives", sha256(film))
    publish(film.parents[1], tmp_path / "output", FinaliseOptions())
    Results(film).audio_json.unlink()
    (project,) = listed(tmp_path)
    assert project.published == tmp_path / "output" / "103 Camille"
    (video,) = project.videos
    assert (video.results["audio"], video.results["tracking"]) == ("archives", "project")
    assert video.files["audio"].read_text().startswith("{")
    assert video.sha256 == sha256(film)


def test_archived_only(tmp_path: Path, film: Path) -> None:
    archive_video(film, "103 Camille", tmp_path / "archives", sha256(film))
    film.parents[1].rename(tmp_path / "elsewhere")
    (project,) = listed(tmp_path)
    assert (project.active, project.folder) == (False, None)
    (video,) = project.videos
    assert (video.name, video.path) == ("film.mp4", None)
    assert set(video.results.values()) == {"archives"}


def test_by_content_when_hashes_are_known(tmp_path: Path, film: Path) -> None:
    archive_video(film, "103 Camille", tmp_path / "archives", sha256(film))
    for path in list(film.parent.iterdir()):
        if path != film:
            path.unlink()
    renamed = film.rename(film.with_name("renamed.mp4"))
    book = HashBook(tmp_path / "hashes")
    by_stem, by_content = listed(tmp_path)[0], listed(tmp_path, book)[0]
    assert [(video.name, bool(video.results)) for video in by_stem.videos] == [
        ("docs/renamed.mp4", False),
        ("film.mp4", True),
    ]
    (video,) = by_content.videos
    assert (video.path, video.results["audio"]) == (renamed, "archives")


def test_projects_of_earlier_programs(tmp_path: Path, film: Path) -> None:
    for stamp in ("2026-01-13_15-21-46", "2026-02-01_10-00-00"):
        folder = tmp_path / "archives" / f"103 Camille {stamp}" / sha256(film)
        folder.mkdir(parents=True)
        (folder / "film_audio.json").write_text(json.dumps({"frames_analysis": [], "stamp": stamp}))
        metadata = {"video_path": "/x/film.mp4", "video_stem": "film", "video_hash": sha256(film), "created_at": stamp}
        (folder / "metadata.json").write_text(json.dumps(metadata))
    Results(film).audio_json.unlink()
    (project,) = listed(tmp_path)
    assert "2026-02-01" in project.videos[0].files["audio"].read_text(), "the newest"
    assert len(project.videos) == 1


def test_strange_things_lying_about(tmp_path: Path, film: Path) -> None:
    for root in ("projects", "archives", "output"):
        (tmp_path / root / ".hidden").mkdir(parents=True)
        (tmp_path / root / "a file").write_text("")
    (tmp_path / "archives" / "empty" / "notes").mkdir(parents=True)
    (tmp_path / "projects" / os.fsdecode(b"caf\xe9")).mkdir()
    assert [(project.name, len(project.videos)) for project in listed(tmp_path)] == [
        ("103 Camille", 1),
        ("caf\udce9", 0),
        ("empty", 0),
    ]
