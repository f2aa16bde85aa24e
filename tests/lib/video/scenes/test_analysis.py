import json
import shutil
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest

from lib.errors import InputError
from lib.files import is_temporary
from lib.video.provenance import Provenance
from lib.video.scenes.analysis import analyse, choose, inputs, outputs
from lib.video.scenes.options import SceneOptions
from lib.video.scenes.precision import reference_clip
from lib.video.scenes.table import read_scenes

DIGEST = "5" * 64


@pytest.fixture
def video(clip, tmp_path):
    """The clip under an awkward name in a folder of its own."""
    target = tmp_path / "Rush n°1, 'été' 🎬\n.mp4"
    shutil.copy(clip, target)
    return target


def written(video):
    result, table = outputs(video)
    return json.loads(result.read_bytes()), read_scenes(table)


def test_the_cuts_of_a_video_are_found(video):
    summary = analyse(video, SceneOptions(), DIGEST)
    content, scenes = written(video)
    assert [scene.frame_out for scene in scenes if not 59 <= scene.frame_out <= 70] == [35, 93, 128, 150]
    assert len(scenes) == 5
    assert any(each["frame_in"] <= 63 and each["frame_out"] >= 68 for each in content["transitions"])
    assert summary.counts == {"frames": 150, "scenes": 5, "transitions": len(content["transitions"])}
    assert (summary.engine, summary.engine_version) == (choose(SceneOptions()).engine, choose(SceneOptions()).version)


def test_the_file_says_where_it_comes_from_and_agrees_with_the_table(video):
    analyse(video, SceneOptions(), DIGEST)
    content, scenes = written(video)
    assert next(iter(content)) == "provenance"
    provenance = Provenance.read(outputs(video)[0])
    assert provenance is not None
    assert provenance.video_sha256 == DIGEST
    assert provenance.inputs == inputs(video, SceneOptions()) == {}
    assert "workers" not in provenance.options
    spans = [(each["number"], each["frame_in"], each["frame_out"]) for each in content["scenes"]]
    assert spans == [(scene.number, scene.frame_in, scene.frame_out) for scene in scenes]
    cuts = content["probabilities"]["cut"]
    assert len(cuts) == len(content["probabilities"]["gradual"]) == content["frames"] == 150
    assert content["scenes"][-1]["probability"] is None
    for each in content["scenes"][:-1]:
        assert each["probability"] == pytest.approx(cuts[each["frame_out"] - 1], abs=1e-4)
        assert each["probability"] > 0.5
    assert content["fps"] == 25
    assert content["scenes"][1]["timecode_in"] == "00:00:01.400"


def test_the_result_does_not_depend_on_workers_threads_and_precision(video):
    cases = [
        SceneOptions(workers=1, decoder_threads=1),
        SceneOptions(workers=5),
        SceneOptions(mixed_precision=False),
        SceneOptions(acceleration="torchscript"),
    ]
    tables = set()
    for options in cases:
        analyse(video, options, DIGEST)
        tables.add(outputs(video)[1].read_bytes())
    assert len(tables) == 1


@pytest.mark.parametrize("frames", [1, 2, 30, 50, 51])
def test_short_videos_have_scenes(make_video, frames):
    video = make_video("short.mp4", reference_clip()[:frames, :26].repeat(2, axis=1).repeat(2, axis=2))
    analyse(video, SceneOptions(), DIGEST)
    content, scenes = written(video)
    assert content["frames"] == frames
    assert (scenes[0].frame_in, scenes[-1].frame_out) == (1, frames)


def test_another_window_covers_all_frames(video):
    analyse(video, SceneOptions(profile="fast"), DIGEST)
    assert {35, 93} <= {scene.frame_out for scene in written(video)[1]}
    analyse(video, SceneOptions(window=60, stride=7, padding=20), DIGEST)
    assert written(video)[1][-1].frame_out == 150


def test_time_codes_follow_the_rate_of_the_video(make_video):
    rate = Fraction(30000, 1001)
    video = make_video("ntsc.mp4", reference_clip()[:60, :26].repeat(2, axis=1).repeat(2, axis=2), rate=rate)
    analyse(video, SceneOptions(), DIGEST)
    content, _ = written(video)
    assert content["frame_rate"] == "30000/1001"
    assert content["scenes"][1]["frame_in"] == 36
    assert content["scenes"][1]["timecode_in"] == "00:00:01.168"


def test_progress_ends_at_the_number_of_frames(video):
    calls = []
    analyse(video, SceneOptions(), DIGEST, lambda done, total, item="": calls.append((done, total)))
    assert calls == [(50, 150), (100, 150), (150, 150), (150, 150)]


def test_work_that_is_stopped_leaves_nothing(video):
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int, item: str = "") -> None:
        raise StoppedError

    threads = threading.active_count()
    with pytest.raises(StoppedError):
        analyse(video, SceneOptions(), DIGEST, stop)
    assert [path.name for path in video.parent.iterdir()] == [video.name]
    assert threading.active_count() == threads


def test_a_file_that_is_no_video_is_refused_and_leaves_nothing(tmp_path):
    video = tmp_path / "film.mp4"
    video.write_bytes(np.random.default_rng(1).bytes(10_000))
    with pytest.raises(InputError):
        analyse(video, SceneOptions(), DIGEST)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_an_older_result_stays_when_the_video_has_become_unreadable(video):
    analyse(video, SceneOptions(), DIGEST)
    before = [path.read_bytes() for path in outputs(video)]
    video.unlink()
    video.write_bytes(b"")
    with pytest.raises(InputError):
        analyse(video, SceneOptions(), DIGEST)
    assert [path.read_bytes() for path in outputs(video)] == before
    assert not any(is_temporary(path) for path in video.parent.iterdir())


def test_choosing_the_engine_imports_no_torch():
    code = (
        "import sys; from lib.video.scenes.analysis import choose; from lib.video.scenes.options import SceneOptions; "
        "choose(SceneOptions()); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
