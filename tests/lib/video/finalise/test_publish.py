import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, is_temporary
from lib.video.finalise import publish as module
from lib.video.finalise.check import Trouble
from lib.video.finalise.options import FinaliseOptions
from lib.video.finalise.publish import publish
from lib.video.results import ORIGINALS, Results

OPTIONS = FinaliseOptions()


@pytest.fixture
def project(tmp_path: Path, make_film: Callable[..., Path], write_results: Callable[..., Path]) -> Path:
    folder = tmp_path / "projects" / "103 Camille"
    write_results(make_film(folder / "docs" / "a film\n🎬.mp4"))
    write_results(make_film(folder / "other.mov", shade=40))
    make_film(folder / ORIGINALS / "other.mov")
    (folder / "notes of somebody.txt").write_text("not a result")
    (folder / "report.html").write_text("<html>")
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "output"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_videos_and_results_in_the_same_layout(project: Path, output: Path) -> None:
    published = publish(project, output, OPTIONS)
    folder = output / "103 Camille"
    assert published.folder == folder
    expected = content(project)
    del expected["notes of somebody.txt"], expected[f"{ORIGINALS}/other.mov"]
    assert content(folder) == expected
    assert len(published.copied) == len(expected)
    assert published.problems == {}
    assert published.total_bytes == sum(map(len, expected.values()))


def test_a_second_time_nothing_is_copied(project: Path, output: Path) -> None:
    first = publish(project, output, OPTIONS)
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    second = publish(project, output, OPTIONS)
    assert (second.copied, second.kept) == ((), len(first.copied))
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before


def test_only_what_changed_is_copied(project: Path, output: Path) -> None:
    publish(project, output, OPTIONS)
    rttm = Results(project / "other.mov").rttm
    rttm.write_bytes(rttm.read_bytes().replace(b"SPEAKER_00", b"SPEAKER_01"))
    copy = output / project.name / "other.rttm"
    assert publish(project, output, OPTIONS).copied == (copy,)
    assert copy.read_bytes() == rttm.read_bytes()


def test_a_disk_that_keeps_no_times(project: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refused)
    monkeypatch.setattr(os, "chmod", refused)
    assert publish(project, output, OPTIONS).problems == {}
    assert publish(project, output, OPTIONS).copied == (), "the content is compared"


@pytest.mark.parametrize("links", [True, False])
def test_links_only_when_asked_for(project: Path, output: Path, links: bool) -> None:
    publish(project, output, FinaliseOptions(hard_links=links))
    same = (project / "other.mov").samefile(output / project.name / "other.mov")
    assert same is links
    assert publish(project, output, FinaliseOptions(hard_links=links)).copied == ()


@pytest.mark.parametrize("missing", ["link", "copy_file_range"])
def test_disks_without_links_or_fast_copies(
    project: Path, output: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refused(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, missing, refused)
    monkeypatch.setattr(module, "CHUNK_BYTES", 1000)
    publish(project, output, FinaliseOptions(hard_links=True) if missing == "link" else OPTIONS)
    assert (output / project.name / "other.mov").read_bytes() == (project / "other.mov").read_bytes()


def test_without_the_videos(project: Path, output: Path) -> None:
    published = publish(project, output, FinaliseOptions(videos=False))
    assert {path.suffix for path in published.copied} == {".html", ".csv", ".json", ".rttm"}


def test_an_incomplete_video_is_published_and_named(project: Path, output: Path) -> None:
    film = project / "other.mov"
    Results(film).tracking_json.unlink()
    Results(film).audio_json.write_text("{")
    published = publish(project, output, OPTIONS)
    assert [(p.trouble, p.phase) for p in published.problems[film]] == [
        (Trouble.DAMAGED, "audio"),
        (Trouble.MISSING, "tracking"),
    ]
    assert list(published.problems) == [film]
    assert (output / project.name / "other.mov").exists()
    assert (output / project.name / "other.csv").exists()


def test_progress_counts_the_bytes_of_every_file(project: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 1000)
    seen: list[tuple[int, int]] = []
    published = publish(project, output, OPTIONS, lambda done, total, item="": seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (published.total_bytes, published.total_bytes)
    assert len(seen) > len(published.copied) * 2


def test_temporary_files_of_killed_runs_go(project: Path, output: Path) -> None:
    for folder in (project, output / project.name / "docs"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".abc{TEMPORARY_SUFFIX}").write_text("half")
    publish(project, output, OPTIONS)
    assert not any(map(is_temporary, project.parent.parent.rglob("*")))


def test_a_name_that_the_disk_does_not_take(project: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace

    def ntfs(self: Path, target: Path) -> Path:
        if "\n" in target.name:
            raise OSError(22, "Invalid argument")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", ntfs)
    published = publish(project, output, OPTIONS)
    (film,) = published.problems
    assert "\n" in film.name
    assert {problem.trouble for problem in published.problems[film]} == {Trouble.NAME}
    assert (output / project.name / "other.mov").exists()
    assert not any(map(is_temporary, output.rglob("*")))


@pytest.mark.parametrize("place", ["", "docs"])
def test_the_output_is_elsewhere(project: Path, place: str) -> None:
    before = content(project)
    with pytest.raises(InputError, match="another output folder"):
        publish(project, project.parent if not place else project / place, OPTIONS)
    assert content(project) == before
