import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.tracking.document import Document
from lib.video.tracking.options import TrackingOptions
from lib.video.tracking.speaking import Audio, Heard

KEYS = [
    "id", "source", "label", "confidence", "centroid_x", "centroid_y", "bbox_width", "bbox_height", "bbox_xmin",
    "bbox_ymin", "active_speakers", "landmarks", "blendshapes", "mouth_openness", "is_speaking", "speaking_sources",
]  # fmt: skip
Faces = list[dict[str, Any]]


def face(x: float, y: float = 100.0, openness: float = 0.1) -> dict[str, Any]:
    return {
        "box": [x, y, x + 40, y + 50], "confidence": 0.9, "openness": openness, "landmarks": [[x, y, 0.5]],
        "blendshapes": {"jawOpen": 0.25},
    }  # fmt: skip


class Said(Audio):
    """Audio in which somebody speaks from a frame on."""

    def __init__(self, start: int) -> None:
        super().__init__(None)
        self.start = start

    def at(self, frame: int) -> Heard:
        return Heard(frame >= self.start, ("S1",) if frame >= self.start else ())


def write(film: list[Faces], cuts: tuple[int, ...] = (), audio: Audio | None = None, **options: Any) -> dict[str, Any]:
    out = io.BytesIO()
    chosen = TrackingOptions(**{"smoothing": 0, **options})
    document = Document(out, {"width": 640, "height": 360}, chosen, 25.0, audio or Audio(None))
    for frame, faces in enumerate(film, start=1):
        if frame in cuts:
            document.restart()
        document.add(frame, faces)
    document.finish()
    return json.loads(out.getvalue())


def ids(result: dict[str, Any]) -> list[list[str]]:
    return [[one["id"] for one in frame["tracked_objects"]] for frame in result["frames_analysis"]]


def test_an_object_has_exactly_the_keys_of_the_contract() -> None:
    result = write([[face(100)]] * 5)
    (item,) = result["frames_analysis"][0]["tracked_objects"]
    assert list(item) == KEYS
    assert item | {"landmarks": [], "blendshapes": {}} == {
        "id": "obj_1", "source": "face_landmarker", "label": "face", "confidence": 0.9, "centroid_x": 120,
        "centroid_y": 125, "bbox_width": 40, "bbox_height": 50, "bbox_xmin": 100, "bbox_ymin": 100,
        "active_speakers": [], "landmarks": [], "blendshapes": {}, "mouth_openness": 0.1, "is_speaking": False,
        "speaking_sources": [],
    }  # fmt: skip


def test_each_frame_is_one_line_and_counts_from_one() -> None:
    out = io.BytesIO()
    document = Document(out, {"provenance": {}, "width": 9, "height": 9}, TrackingOptions(), 25.0, Audio(None))
    for frame in (1, 2, 3):
        document.add(frame, [])
    document.finish()
    assert out.getvalue().decode().splitlines() == [
        '{"provenance":{},"width":9,"height":9,"frames_analysis":[',
        '{"frame":1,"tracked_objects":[]},',
        '{"frame":2,"tracked_objects":[]},',
        '{"frame":3,"tracked_objects":[]}',
        '],"counts":{"frames":3,"frames_with_faces":0,"frames_speaking":0,"faces":0}}',
    ]


def test_a_film_without_frames_is_a_whole_document() -> None:
    assert write([])["frames_analysis"] == []


def test_ids_begin_anew_at_a_cut_and_are_never_used_again() -> None:
    film = [[face(100)]] * 4 + [[face(100)]] * 4
    assert ids(write(film, cuts=(5,))) == [["obj_1"]] * 4 + [["obj_2"]] * 4


def test_an_id_survives_some_frames_without_the_face() -> None:
    film = [[face(100)]] * 4 + [[]] * 3 + [[face(104)]] * 4
    assert ids(write(film)) == [["obj_1"]] * 4 + [[]] * 3 + [["obj_1"]] * 4


def test_a_false_alarm_is_left_out() -> None:
    film = [[face(100)], [face(100), face(400)], *([[face(100)]] * 20)]
    assert ids(write(film, min_frames=3)) == [["obj_1"]] * 22
    assert ids(write(film, min_frames=1))[1] == ["obj_1", "obj_2"]


def test_a_scene_shorter_than_asked_for_keeps_its_faces() -> None:
    assert ids(write([[face(100)]], min_frames=3)) == [["obj_1"]]
    assert ids(write([[]] * 5 + [[face(9)]] * 2 + [[]] * 5, cuts=(6, 8), min_frames=5))[5:7] == [["obj_1"]] * 2


def test_a_face_at_the_edge_is_shown_within_the_picture() -> None:
    box = write([[face(-20.0, 340.0)]] * 3)["frames_analysis"][0]["tracked_objects"][0]
    assert (box["bbox_xmin"], box["bbox_width"], box["bbox_ymin"], box["bbox_height"]) == (0, 20, 340, 20)


def test_a_mouth_that_moves_speaks_and_one_that_stays_open_does_not() -> None:
    film = [[face(100, openness=0.4 * (n % 2)), face(300, openness=0.8)] for n in range(20)]
    for frame in write(film)["frames_analysis"]:
        moving, open_ = frame["tracked_objects"]
        assert (moving["is_speaking"], moving["speaking_sources"]) == (True, ["mouth"])
        assert not open_["is_speaking"]


def test_with_audio_the_mouth_that_moves_has_the_voice() -> None:
    film = [[face(100, openness=0.4 * (n % 2)), face(300)] for n in range(20)]
    frames = write(film, audio=Said(11))["frames_analysis"]
    silent, speaking = frames[9]["tracked_objects"], frames[10]["tracked_objects"]
    assert (silent[0]["is_speaking"], silent[0]["speaking_sources"]) == (False, ["mouth"])
    assert (speaking[0]["speaking_sources"], speaking[0]["active_speakers"]) == (["mouth", "audio"], ["S1"])
    assert (speaking[1]["is_speaking"], speaking[1]["active_speakers"]) == (False, [])


@given(
    st.lists(st.lists(st.builds(face, st.floats(-30, 650), st.floats(-30, 380)), max_size=4), max_size=40),
    st.sets(st.integers(2, 40)),
    st.integers(1, 6),
)
def test_whatever_is_seen_every_frame_is_there_once_and_no_id_twice(film, cuts, min_frames) -> None:
    result = write(film, cuts=tuple(cuts), min_frames=min_frames)
    assert [frame["frame"] for frame in result["frames_analysis"]] == list(range(1, len(film) + 1))
    scene_of: dict[str, int] = {}
    for frame, names in enumerate(ids(result), start=1):
        assert len(names) == len(set(names))
        scene = sum(cut <= frame for cut in cuts)
        assert all(scene_of.setdefault(name, scene) == scene for name in names)
    assert len(scene_of) == result["counts"]["faces"]
    assert set(scene_of) == {f"obj_{number}" for number in range(1, len(scene_of) + 1)}


@pytest.mark.parametrize("seconds", [0.1, 0.5, 3.0])
def test_what_is_kept_in_memory_does_not_grow_with_the_film(seconds: float) -> None:
    options = TrackingOptions(mouth_window=seconds)
    document = Document(io.BytesIO(), {"width": 640, "height": 360}, options, 25.0, Audio(None))
    sizes = set()
    for frame in range(1, 1000):
        document.add(frame, [face(100)])
        if frame > 200:
            sizes.add((len(document._pending), max(len(t.openness) for t in document._tracker._tracks)))
    assert len(sizes) == 1
