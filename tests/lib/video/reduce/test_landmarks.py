import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lib.errors import InputError
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results
from lib.video.results import Results

Analysed = Callable[..., Path]


def test_landmarks_are_kept_apart_to_single_precision(analysed: Analysed) -> None:
    video = analysed(frames=400)
    results = Results(video)
    document = json.loads(results.tracking_json.read_text())
    faces = [(f["frame"], item) for f in document["frames_analysis"] for item in f["tracked_objects"]]
    full = results.tracking_json.stat().st_size
    reduction = reduce_results(video, ReduceOptions(landmarks=True))
    assert reduction.extra == (results.landmarks,)
    table = pq.read_table(results.landmarks)
    assert table.column_names == ["frame", "id", "landmarks"]
    assert table.column("frame").to_pylist() == [frame for frame, _ in faces]
    assert table.column("id").to_pylist() == [item["id"] for _, item in faces]
    points = np.array(table.column("landmarks").to_pylist(), dtype=np.float32).reshape(len(faces), 478, 3)
    assert np.array_equal(points, np.array([item["landmarks"] for _, item in faces], dtype=np.float32))
    assert pq.ParquetFile(results.landmarks).num_row_groups > 1, "written as a stream"
    assert results.landmarks.stat().st_size < full / 4


def test_points_may_be_objects(tmp_path: Path) -> None:
    item = {"id": "obj_1", "source": "face_landmarker", "landmarks": [{"x": 1, "y": 2, "z": 3}, {"x": 4, "y": 5}]}
    (tmp_path / "film_tracking.json").write_text(
        json.dumps({"frames_analysis": [{"frame": 1, "tracked_objects": [item]}]})
    )
    reduce_results(tmp_path / "film.mp4", ReduceOptions(landmarks=True))
    assert pq.read_table(tmp_path / "film_landmarks.parquet").column("landmarks").to_pylist() == [[1, 2, 3, 4, 5, 0]]


@pytest.mark.parametrize("header", [True, False])
def test_landmarks_that_were_dropped_already_cannot_be_made(analysed: Analysed, header: bool) -> None:
    video = analysed()
    if not header:
        document = json.loads(Results(video).tracking_json.read_text())
        Results(video).tracking_json.write_text(json.dumps({"frames_analysis": document["frames_analysis"]}))
    reduce_results(video, ReduceOptions())
    with pytest.raises(InputError, match="run phase 5"):
        reduce_results(video, ReduceOptions(landmarks=True))
    assert not Results(video).landmarks.exists()


@pytest.mark.parametrize("header", [True, False])
def test_landmarks_stay_when_the_file_is_reduced_already(analysed: Analysed, header: bool) -> None:
    video = analysed()
    if not header:
        document = json.loads(Results(video).tracking_json.read_text())
        Results(video).tracking_json.write_text(json.dumps({"frames_analysis": document["frames_analysis"]}))
    reduce_results(video, ReduceOptions(landmarks=True))
    os.utime(Results(video).landmarks, ns=(1, 1))
    reduce_results(video, ReduceOptions(landmarks=True))
    assert Results(video).landmarks.stat().st_mtime_ns == 1


@pytest.mark.parametrize(
    ("frame", "name", "points"),
    [
        (1, "a", "text"),
        (1, "a", [["x", "y"]]),
        (1, "a", [[1], [2, 3]]),
        (1, "a", {"x": 1}),
        (2**40, "a", [[1, 2, 3]]),
        (1, "\ud800", [[1, 2, 3]]),
    ],
)
def test_what_are_no_landmarks(tmp_path: Path, frame: int, name: str, points: object) -> None:
    item = {"id": name, "source": "face_landmarker", "landmarks": points}
    path = tmp_path / "film_tracking.json"
    path.write_text(json.dumps({"frames_analysis": [{"frame": frame, "tracked_objects": [item]}]}))
    before = path.read_bytes()
    with pytest.raises(InputError, match="not a result of an analysis"):
        reduce_results(tmp_path / "film.mp4", ReduceOptions(landmarks=True))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
