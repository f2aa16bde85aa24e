import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results
from lib.video.results import Results
from lib.video.tables import COLUMNS, NAMES, harmless, write_tables

Write = Callable[..., Path]


@pytest.fixture
def film(tmp_path: Path, make_film: Write, write_results: Write) -> Path:
    return write_results(make_film(tmp_path / "project" / "docs" / "=film 🎬.mp4"))


def tables(project: Path) -> dict[str, pd.DataFrame]:
    write_tables(project, project / "tables")
    return {name: pd.read_parquet(project / "tables" / f"{name}.parquet") for name in COLUMNS}


def test_every_table_in_both_forms(film: Path) -> None:
    project = film.parents[1]
    files = write_tables(project, project / "tables")
    assert [path.name for path in files] == list(NAMES)
    for name, columns in COLUMNS.items():
        parquet = pd.read_parquet(project / "tables" / f"{name}.parquet")
        text = pd.read_csv(project / "tables" / f"{name}.csv")
        assert list(parquet.columns) == list(text.columns) == list(columns)
        assert len(parquet) == len(text) > 0
        pd.testing.assert_frame_equal(parquet.convert_dtypes(), text.convert_dtypes(), check_dtype=False)


def test_what_is_in_them(film: Path) -> None:
    found = tables(film.parents[1])
    (video,) = found["videos"].to_dict("records")
    assert video == {
        "video": "docs/=film 🎬.mp4",
        "frames": 10,
        "frame_rate": 25.0,
        "seconds": pytest.approx(0.4),
        "width": 320,
        "height": 180,
        "scenes": 2,
        "speech_seconds": 0.16,
        "speakers": 1,
        "tracks": 2,
        "scenes_engine": "scenes engine 1.0",
        "audio_engine": "audio engine 1.0",
        "tracking_engine": "tracking engine 1.0",
    }
    assert found["scenes"][["number", "frame_in", "frame_out", "timecode_in", "seconds"]].to_numpy().tolist() == [
        [1, 1, 5, "00:00:00.000", 0.2],
        [2, 6, 10, "00:00:00.200", 0.2],
    ]
    assert found["turns"][["speaker", "start", "end"]].to_numpy().tolist() == [["SPEAKER_00", 0.04, 0.2]]
    columns = ["scene", "id", "label", "first_frame", "last_frame", "frames", "speaking_frames", "mean_centroid_x"]
    assert found["tracks"][columns].to_numpy().tolist() == [
        [1, "obj_1", "face", 1, 5, 5, 4, 30.0],
        [2, "obj_1", "face", 6, 10, 5, 0, 80.0],
    ]


def test_reduced_results_give_the_same(film: Path) -> None:
    before = tables(film.parents[1])
    reduce_results(film, ReduceOptions())
    for name, after in tables(film.parents[1]).items():
        pd.testing.assert_frame_equal(after, before[name])


def test_without_segments_turns_come_from_the_frames(film: Path) -> None:
    before = tables(film.parents[1])["turns"]
    Results(film).rttm.unlink()
    turns = tables(film.parents[1])["turns"]
    assert turns["speaker"].tolist() == before["speaker"].tolist()
    assert turns[["start", "end"]].to_numpy().tolist() == [[0.0, 0.16]], "frames 1 to 4"


def test_missing_and_damaged_results_leave_cells_empty(film: Path, make_film: Write) -> None:
    results = Results(film)
    results.scenes_csv.unlink()
    results.audio_json.unlink()
    results.rttm.unlink()
    frames = [{"frame": 1, "tracked_objects": [{"id": "a", "label": 5}]}, {"frame": 10**40, "tracked_objects": 3}]
    results.tracking_json.write_text(json.dumps({"frames_analysis": frames})[:-2])
    (film.parent / "broken.mp4").write_bytes(b"x")
    found = tables(film.parents[1])
    videos = found["videos"].set_index("video")
    assert videos.loc["docs/broken.mp4"].isna().all()
    whole = videos.loc["docs/=film 🎬.mp4"]
    assert whole[["scenes", "speakers", "tracking_engine"]].isna().all()
    assert whole["frames"] == 10
    assert len(found["scenes"]) == len(found["turns"]) == 0


def test_nothing_changes_nothing(film: Path) -> None:
    project = film.parents[1]
    files = write_tables(project, project / "tables")
    for path in files:
        os.utime(path, ns=(1, 1))
    write_tables(project, project / "tables")
    assert {path.stat().st_mtime_ns for path in files} == {1}


def test_no_cell_is_a_formula(tmp_path: Path, make_film: Write) -> None:
    video = make_film(tmp_path / "project" / "=HYPERLINK(1).mp4")
    Results(video).rttm.write_text("SPEAKER x 1 0.5 0.5 <NA> <NA> @SUM(A1) <NA> <NA>\n")
    item = {"id": "-2+3", "source": "+1", "label": "\t=1", "centroid_x": -5}
    document = {"frames_analysis": [{"frame": 1, "tracked_objects": [item]}]}
    Results(video).tracking_json.write_text(json.dumps(document))
    for path in write_tables(video.parent, tmp_path / "tables"):
        if path.suffix == ".csv":
            with path.open(newline="") as stream:
                cells = [cell for row in csv.reader(stream) for cell in row]
            assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))] == []
    tracks = pd.read_csv(tmp_path / "tables" / "tracks.csv")
    assert tracks.loc[0, ["id", "source", "label"]].tolist() == ["'-2+3", "'+1", "'\t=1"]
    assert tracks.loc[0, "mean_centroid_x"] == -5, "a number is no formula"


@given(st.text())
def test_harmless_texts_are_not_changed(text: str) -> None:
    safe = harmless(text)
    assert safe in {text, f"'{text}"}
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_names_that_are_no_text(tmp_path: Path, make_film: Write) -> None:
    make_film(tmp_path / "project" / "a.mp4").rename(tmp_path / "project" / os.fsdecode(b"caf\xe9.mp4"))
    assert tables(tmp_path / "project")["videos"]["video"].tolist() == ["caf\ufffd.mp4"]


def test_no_videos(tmp_path: Path) -> None:
    assert {name: len(table) for name, table in tables(tmp_path).items()} == dict.fromkeys(COLUMNS, 0)
