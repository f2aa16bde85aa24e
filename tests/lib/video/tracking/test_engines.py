"""Which engine is chosen and why, and where it looks for faces."""

import math
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import UnavailableError
from lib.files import sha256
from lib.video.provenance import relevant
from lib.video.tracking import analysis
from lib.video.tracking.engines.mediapipe.regions import region_of_detection, same_face, tiles
from lib.video.tracking.options import MODEL_VARIABLE, TrackingOptions, models_folder

from .conftest import MODEL


def test_without_a_model_file_the_mesh_of_the_package_is_chosen_and_it_is_said_how_to_get_the_other() -> None:
    choice = analysis.choose(TrackingOptions())
    assert choice.engine == "mediapipe_mesh"
    assert choice.version.startswith("0.10.21")
    assert MODEL_VARIABLE in choice.reason
    assert "face_landmarker.task" in choice.reason


def test_the_model_file_decides_engine_and_version(testdata: Path) -> None:
    choice = analysis.choose(TrackingOptions())
    assert choice.engine == "mediapipe_landmarker"
    assert choice.version.endswith(sha256(MODEL)[:12])
    assert choice.reason == "the first engine of the chain"


def test_the_option_goes_before_the_environment_and_that_before_the_models_folder(
    testdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "face_landmarker.task"
    broken.write_bytes(b"no model")
    monkeypatch.setenv(MODEL_VARIABLE, str(broken))
    assert analysis.choose(TrackingOptions(model=MODEL)).engine == "mediapipe_landmarker"
    assert "broken" in analysis.choose(TrackingOptions()).reason
    monkeypatch.delenv(MODEL_VARIABLE)
    monkeypatch.setenv("REGIE_HOME", str(tmp_path))
    models_folder().mkdir()
    (models_folder() / "face_landmarker.task").symlink_to(MODEL)
    assert analysis.choose(TrackingOptions()).engine == "mediapipe_landmarker"


def test_another_bundle_is_no_model(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hand.task", "w") as bundle:
        bundle.writestr("hand_landmarks_detector.tflite", b"")
    options = TrackingOptions(engines=("mediapipe_landmarker",), model=tmp_path / "hand.task")
    with pytest.raises(UnavailableError, match="another model"):
        analysis.choose(options)


def test_an_unknown_engine_is_passed_over_and_the_reason_names_it() -> None:
    choice = analysis.choose(TrackingOptions(engines=("insightface", "mediapipe_mesh")))
    assert choice.engine == "mediapipe_mesh"
    assert choice.reason.startswith("insightface: There is no engine of that name")


def test_a_chain_of_which_none_can_run_says_what_is_missing_for_each(tmp_path: Path) -> None:
    options = TrackingOptions(engines=("opencv", "mediapipe_landmarker"), model=tmp_path / "none.task")
    with pytest.raises(UnavailableError, match=r"opencv: .* mediapipe_landmarker: .*No such file"):
        analysis.choose(options)


def test_choosing_imports_no_heavy_package() -> None:
    code = (
        "import sys\n"
        "from lib.video.tracking.engines import registry\n"
        "from lib.video.tracking.options import TrackingOptions\n"
        "registry.choose(TrackingOptions())\n"
        "print(sorted({'mediapipe', 'cv2', 'scipy', 'prefect'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_options_that_do_not_change_a_result_are_not_part_of_its_identity() -> None:
    one = TrackingOptions(processes=1, model=Path("a"), engines=("mediapipe",))
    other = TrackingOptions(processes=8, model=Path("b"), engines=("mediapipe_mesh",))
    assert relevant(one) == relevant(other)
    assert relevant(TrackingOptions(search="tiles")) != relevant(one)


@given(st.integers(1, 400), st.integers(1, 400))
def test_tiles_cover_the_picture_and_stay_in_it(width: int, height: int) -> None:
    seen = np.zeros((height, width), bool)
    for left, top, right, bottom in tiles(width, height):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        seen[top:bottom, left:right] = True
    assert seen.all()


def test_a_region_is_turned_with_the_eyes() -> None:
    level = region_of_detection((10, 10, 30, 30), (15, 18), (25, 18))
    assert (level.x, level.y, level.side, level.angle) == (20, 20, 30, 0)
    leaning = region_of_detection((10, 10, 30, 30), (15, 15), (25, 25))
    assert leaning.angle == pytest.approx(math.pi / 4)


def test_two_boxes_of_one_face_are_told_from_neighbours() -> None:
    assert same_face((0, 0, 40, 40), (5, 5, 35, 30))
    assert not same_face((0, 0, 40, 40), (30, 0, 70, 40))
