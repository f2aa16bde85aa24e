import json
import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from lib.errors import InputError
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import Action, reduce_results
from lib.video.results import Results

OPTIONS = ReduceOptions(after_effects=True)


@pytest.fixture
def film(analysed: Callable[..., Path]) -> Path:
    """A real video of 12 frames with its full results."""
    video = analysed(frames=12)
    with av.open(str(video), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 320, 180
        for number in range(12):
            picture = np.full((180, 320, 3), number * 20, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return video


def test_the_same_by_frame(film: Path) -> None:
    results = Results(film)
    reduction = reduce_results(film, OPTIONS)
    assert reduction.extra == (results.ae_json, results.keyframes)
    index = json.loads(results.ae_json.read_text())
    tracking = json.loads(results.tracking_json.read_text())["frames_analysis"]
    audio = json.loads(results.audio_json.read_text())["frames_analysis"]
    assert index["dataByFrame"] == {str(f["frame"]): f["tracked_objects"] for f in tracking if f["tracked_objects"]}
    assert index["audioByFrame"] == {str(f["frame"]): f["audio_info"] for f in audio}
    assert index["maxFrame"] == index["audioMaxFrame"] == 12


def test_keyframes_follow_who_speaks(film: Path) -> None:
    frames = json.loads(Results(film).tracking_json.read_text())["frames_analysis"]
    reduce_results(film, OPTIONS)
    lines = Results(film).keyframes.read_bytes().decode().split("\r\n")
    assert lines[:7] == [
        "Adobe After Effects 8.0 Keyframe Data",
        "",
        "\tUnits Per Second\t25",
        "\tSource Width\t320",
        "\tSource Height\t180",
        "\tSource Pixel Aspect Ratio\t1",
        "\tComp Pixel Aspect Ratio\t1",
    ]
    start = lines.index("\tFrame\tX pixels\tY pixels\tZ pixels\t") + 1
    assert lines[start - 2 : start] == ["Transform\tPosition", "\tFrame\tX pixels\tY pixels\tZ pixels\t"]
    speaking = {f["frame"]: f["tracked_objects"][1] for f in frames if f["tracked_objects"]}
    assert lines[start : start + len(speaking)] == [
        f"\t{frame - 1}\t{item['centroid_x']}\t{item['centroid_y']}\t0\t" for frame, item in speaking.items()
    ]
    assert lines[start + len(speaking) :] == ["", "", "End of Keyframe Data", ""]


def test_nobody_speaks_so_the_largest_face_is_followed(film: Path) -> None:
    def item(name: str, source: str, size: int) -> dict[str, object]:
        place = {"centroid_x": size, "centroid_y": 5, "bbox_width": size, "bbox_height": size}
        return {"id": name, "source": source, "is_speaking": False, **place}

    objects = [item("a", "face_landmarker", 20), item("b", "face_landmarker", 30), item("c", "object_detector", 90)]
    document = {"frames_analysis": [{"frame": 1, "tracked_objects": objects}]}
    Results(film).tracking_json.write_text(json.dumps(document))
    reduce_results(film, OPTIONS)
    assert "\t0\t30\t5\t0\t\r\n" in Results(film).keyframes.read_bytes().decode()


def test_a_second_time_nothing_is_written(film: Path) -> None:
    extra = reduce_results(film, OPTIONS).extra
    for path in extra:
        os.utime(path, ns=(1, 1))
    reduction = reduce_results(film, OPTIONS)
    assert {file.action for file in reduction.files} == {Action.KEPT}
    assert [path.stat().st_mtime_ns for path in reduction.extra] == [1, 1]


def test_keyframes_cannot_be_made_from_a_reduced_file(film: Path) -> None:
    reduce_results(film, ReduceOptions())
    with pytest.raises(InputError, match="run phase 5"):
        reduce_results(film, OPTIONS)


def test_audio_alone_is_indexed(film: Path) -> None:
    Results(film).tracking_json.unlink()
    reduce_results(film, OPTIONS)
    index = json.loads(Results(film).ae_json.read_text())
    assert index["dataByFrame"] == {}
    assert len(index["audioByFrame"]) == 12
