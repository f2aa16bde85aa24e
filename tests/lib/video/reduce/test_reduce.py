import json
import os
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.files import is_temporary
from lib.video.cache import ResultCache
from lib.video.provenance import Provenance
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import Action, reduce_results
from lib.video.results import Results

Analysed = Callable[..., Path]


def unreduced(text: str, kind: str) -> str:
    """Undo a reduction: every object gets keys that the contract does not keep, in another order and form."""
    document = json.loads(text)
    for frame in document["frames_analysis"]:
        if kind == "tracking":
            frame["tracked_objects"] = [
                {"landmarks": [[0.5, 1e-7, 2]] * 3, **dict(reversed(item.items())), "confidence": 0.5}
                for item in frame["tracked_objects"]
            ]
        else:
            frame["audio_info"] = {"timecode_sec": 0.04, **dict(reversed(frame["audio_info"].items()))}
        frame["more"] = {"frames_analysis": [1]}
    return json.dumps(document)


@pytest.mark.parametrize("kind", ["audio", "tracking"])
@pytest.mark.parametrize("source", ["golden", "contracts"])
def test_the_contract_is_met_byte_for_byte(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str, source: str
) -> None:
    folder: Path = request.getfixturevalue(source)
    expected = (
        folder / (f"video_{kind}.reduced.json" if source == "contracts" else f"{kind}.reduced.json")
    ).read_bytes()
    path = tmp_path / f"film_{kind}.json"
    path.write_text(unreduced(expected.decode(), kind))
    reduction = reduce_results(tmp_path / "film.mp4", ReduceOptions())
    assert path.read_bytes() == expected
    assert {file.action for file in reduction.files} == {Action.REDUCED, Action.MISSING}


@pytest.mark.parametrize("kind", ["audio", "tracking"])
def test_a_contract_file_is_left_untouched(tmp_path: Path, golden: Path, kind: str) -> None:
    path = tmp_path / f"film_{kind}.json"
    path.write_bytes((golden / f"{kind}.reduced.json").read_bytes())
    os.utime(path, ns=(1, 1))
    reduction = reduce_results(tmp_path / "film.mp4", ReduceOptions())
    assert Action.KEPT in {file.action for file in reduction.files}
    assert path.stat().st_mtime_ns == 1


def test_the_header_stays_and_says_what_was_kept(analysed: Analysed) -> None:
    video = analysed()
    before = Provenance.read(Results(video).tracking_json)
    reduction = reduce_results(video, ReduceOptions())
    document = json.loads(Results(video).tracking_json.read_text())
    assert list(document) == ["provenance", "reduced", "engine", "frames_analysis"]
    assert document["reduced"] == {"kept": list(ReduceOptions().tracking_keys)}
    assert Provenance.read(Results(video).tracking_json) == before
    assert json.loads(Results(video).audio_json.read_text())["segments"][0]["speaker"] == "SPEAKER_00"
    assert list(document["frames_analysis"][0]["tracked_objects"][0]) == list(ReduceOptions().tracking_keys)
    assert reduction.bytes_after < reduction.bytes_before / 20
    assert [file.after for file in reduction.files] == [file.path.stat().st_size for file in reduction.files]


def test_a_second_time_nothing_is_written(analysed: Analysed) -> None:
    video = analysed()
    reduce_results(video, ReduceOptions())
    for path in (Results(video).audio_json, Results(video).tracking_json):
        os.utime(path, ns=(1, 1))
    reduction = reduce_results(video, ReduceOptions())
    assert [file.action for file in reduction.files] == [Action.KEPT, Action.KEPT]
    assert not reduction.changed
    assert {file.path.stat().st_mtime_ns for file in reduction.files} == {1}


def test_missing_results_are_said(tmp_path: Path) -> None:
    reduction = reduce_results(tmp_path / "film.mp4", ReduceOptions(after_effects=True))
    assert [file.action for file in reduction.files] == [Action.MISSING, Action.MISSING]
    assert list(tmp_path.iterdir()) == []


def test_keys_after_the_frames_come_before_them(tmp_path: Path) -> None:
    path = tmp_path / "film_audio.json"
    path.write_text('{"frames_analysis": [{"frame": 1, "audio_info": {}}], "engine": "x", "segments": []}')
    reduce_results(tmp_path / "film.mp4", ReduceOptions())
    assert list(json.loads(path.read_text())) == ["engine", "segments", "frames_analysis"]


def test_no_frames_at_all(tmp_path: Path) -> None:
    path = tmp_path / "film_audio.json"
    path.write_text('{"frames_analysis":[]}')
    reduce_results(tmp_path / "film.mp4", ReduceOptions())
    assert path.read_text() == '{\n  "frames_analysis": []\n}'


INVALID = {
    "empty": b"",
    "truncated": b'{"frames_analysis": [{"frame": 1, "audio_info": {}}',
    "truncated after a frame": b'{"frames_analysis": [{"frame": 1, "audio_info": {}},',
    "no comma": b'{"frames_analysis": [{"frame": 1, "audio_info": {}} {"frame": 2, "audio_info": {}}]}',
    "trailing comma": b'{"frames_analysis": [{"frame": 1, "audio_info": {}},]}',
    "text behind": b'{"frames_analysis": []} {}',
    "not UTF-8": b'{"frames_analysis": [{"frame": 1, "audio_info": {"x": "\xff"}}]}',
    "not a number": b'{"frames_analysis": [{"frame": 1, "audio_info": {"x": NaN}}]}',
    "deep": b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b', "frames_analysis": []}',
    "unbalanced": b'{"frames_analysis": [{"frame": 1, "audio_info": {"x": [}}]}',
    "a list": b"[]",
    "no frames": b'{"provenance": {}}',
    "frames are no list": b'{"frames_analysis": {"frame": 1}}',
    "a frame is a number": b'{"frames_analysis": [1]}',
    "a frame without number": b'{"frames_analysis": [{"audio_info": {}}]}',
    "a frame without audio": b'{"frames_analysis": [{"frame": 1, "tracked_objects": []}]}',
    "UTF-16": '{"frames_analysis": []}'.encode("utf-16"),
    "too large a number": b'{"frames_analysis": [{"frame": 1, "audio_info": {"is_speech_present": 1e999}}]}',
}


@pytest.mark.parametrize("content", INVALID.values(), ids=INVALID.keys())
def test_what_is_not_a_result_is_left_untouched_and_named(analysed: Analysed, content: bytes) -> None:
    video = analysed()
    results = Results(video)
    results.audio_json.write_bytes(content)
    with pytest.raises(InputError, match=r"^The audio results were left as they are: [^.]*\.$"):
        reduce_results(video, ReduceOptions())
    assert results.audio_json.read_bytes() == content
    assert "reduced" in json.loads(results.tracking_json.read_text()), "the other file is reduced all the same"
    assert not any(map(is_temporary, video.parent.iterdir()))


def test_narrower_lists_reduce_again(analysed: Analysed) -> None:
    video = analysed()
    reduce_results(video, ReduceOptions())
    reduce_results(video, ReduceOptions(tracking_keys=("id",)))
    frame = json.loads(Results(video).tracking_json.read_text())["frames_analysis"][0]
    assert frame["tracked_objects"] == [{"id": "obj_1"}, {"id": "obj_2"}]


def test_wider_lists_come_back_from_the_cache(analysed: Analysed, tmp_path: Path) -> None:
    video = analysed()
    full = Results(video).tracking_json
    expected = json.loads(full.read_text())["frames_analysis"][0]["tracked_objects"][0]["confidence"]
    provenance = Provenance.read(full)
    assert provenance
    cache = ResultCache(tmp_path / "cache", 10**9)
    cache.remember(provenance.fingerprint, [full])
    reduce_results(video, ReduceOptions())
    wider = ReduceOptions(tracking_keys=("id", "confidence"))
    with pytest.raises(InputError, match=r"run phase 5 \(tracking\) again"):
        reduce_results(video, wider)
    assert [file.action for file in reduce_results(video, wider, cache=cache).files] == [Action.KEPT, Action.REDUCED]
    document = json.loads(full.read_text())
    assert document["frames_analysis"][0]["tracked_objects"][0] == {"id": "obj_1", "confidence": expected}
    assert not any(map(is_temporary, tmp_path.iterdir()))


def test_progress_counts_the_bytes_of_both_files(analysed: Analysed) -> None:
    video = analysed(frames=40)
    seen: list[tuple[int, int]] = []
    before = reduce_results(
        video, ReduceOptions(), lambda done, total, item="": seen.append((done, total))
    ).bytes_before
    assert {total for _, total in seen} == {before}
    assert seen == sorted(seen)
    assert seen[-1] == (before, before)


def test_the_work_stops_when_progress_raises_and_leaves_the_old_files(analysed: Analysed) -> None:
    video = analysed()
    before = {path: path.read_bytes() for path in video.parent.iterdir()}

    def stop(done: int, total: int, item: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reduce_results(video, ReduceOptions(landmarks=True), stop)
    assert {path: path.read_bytes() for path in video.parent.iterdir()} == before


def test_names_of_files_may_be_anything(analysed: Analysed) -> None:
    video = analysed(stem="🎬 \"quoted\"\n'name' %s")
    reduce_results(video, ReduceOptions(landmarks=True))
    assert Results(video).landmarks.exists()


@pytest.mark.parametrize("keys", [(), ("id", "id"), ("",)])
def test_lists_of_keys_are_checked(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=re.compile("tracking_keys|at least")):
        ReduceOptions(tracking_keys=keys)


def test_memory_does_not_grow_with_the_length(analysed: Analysed) -> None:
    video = analysed(frames=1)
    path = Results(video).tracking_json
    document = json.loads(path.read_text())
    header = json.dumps({"provenance": document["provenance"]})[:-1]
    before, after = json.dumps(document["frames_analysis"][0]).split('"frame": 1,', 1)
    peaks = []
    for frames in (300, 900):
        lines = (f'{before}"frame": {number},{after}' for number in range(1, frames + 1))
        path.write_text(f'{header}, "frames_analysis": [{",".join(lines)}]}}')
        size = path.stat().st_size
        tracemalloc.start()
        reduction = reduce_results(video, ReduceOptions(landmarks=True))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert reduction.changed
    assert peaks[1] < peaks[0] * 1.1
    assert peaks[1] < size / 5
