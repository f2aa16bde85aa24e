from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.results import ORIGINALS, VIDEO_SUFFIXES, Results, find_videos, is_video

STEMS = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=40).filter(
    lambda stem: not stem.startswith(".") and stem.strip()
)
KINDS = [name for name, value in vars(Results).items() if isinstance(value, property)]


@given(stem=STEMS, suffix=st.sampled_from(sorted(VIDEO_SUFFIXES)))
def test_results_lie_beside_the_video_and_are_named_after_it(stem: str, suffix: str) -> None:
    video = Path("/project") / (stem + suffix)
    paths = [getattr(Results(video), kind) for kind in KINDS]
    assert len({*paths, video}) == len(KINDS) + 1
    assert set(Results(video).every()) == set(paths)
    for path in paths:
        assert path.parent == video.parent
        assert path.name.startswith(video.stem)


def test_the_names_that_scripts_rely_on() -> None:
    results = Results(Path("a folder/my.film.MP4"))
    assert {kind: getattr(results, kind).name for kind in KINDS} == {
        "scenes_csv": "my.film.csv",
        "scenes_json": "my.film_scenes.json",
        "audio_json": "my.film_audio.json",
        "rttm": "my.film.rttm",
        "tracking_json": "my.film_tracking.json",
        "ae_json": "my.film_ae.json",
        "keyframes": "my.film_keyframes.txt",
        "landmarks": "my.film_landmarks.parquet",
        "report_html": "my.film_report.html",
        "edl": "my.film.edl",
        "otio": "my.film.otio",
    }


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("film.mp4", True),
        ("FILM.MOV", True),
        ("rushes/day 1/film.mxf", True),
        ("originals.mp4", True),
        ("film.txt", False),
        ("mp4", False),
        (".mp4", False),
        (".film.mp4", False),
        (".0123.regie-tmp.mp4", False),
        (f"{ORIGINALS}/film.mp4", False),
        (f"rushes/{ORIGINALS}/film.mp4", False),
        (".0123.regie-tmp/film.mp4", False),
        (".Trashes/film.mp4", False),
    ],
)
def test_what_is_a_video_of_a_project(path: str, is_one: bool) -> None:
    assert is_video(Path(path)) is is_one


def test_the_videos_of_a_project_are_found_in_order_wherever_the_project_lies(tmp_path: Path) -> None:
    project = tmp_path / ORIGINALS / ".hidden" / "project"  # where the project lies says nothing of what is in it
    for name in ("b.mp4", "a.mov", "sub/c.MKV", "originals/b.mp4", ".x.mp4", "notes.txt", "b.csv", "two\nlines.mp4"):
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (project / "folder.mp4").mkdir()
    found = [path.relative_to(project).as_posix() for path in find_videos(project)]
    assert found == ["a.mov", "b.mp4", "sub/c.MKV", "two\nlines.mp4"]


def test_a_project_without_videos_has_none(tmp_path: Path) -> None:
    assert find_videos(tmp_path) == []
    assert find_videos(tmp_path / "absent") == []
