import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.video.finalise.check import Trouble, check_results
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results
from lib.video.results import Results


@pytest.fixture
def film(tmp_path: Path, make_film: Callable[..., Path], write_results: Callable[..., Path]) -> Path:
    return write_results(make_film(tmp_path / "film.mp4"))


def test_whole_results(film: Path) -> None:
    assert check_results(film) == []
    reduce_results(film, ReduceOptions())
    assert check_results(film) == []


def test_missing_results_are_named_when_they_are_required(film: Path) -> None:
    results = Results(film)
    for path in (results.scenes_csv, results.audio_json, results.tracking_json):
        path.unlink()
    problems = check_results(film)
    assert [(p.trouble, p.phase) for p in problems] == [(Trouble.MISSING, p) for p in ("scenes", "audio", "tracking")]
    assert problems[1].message == "The audio results are missing: run phase 4 (audio) again."
    assert [p.phase for p in check_results(film, {"tracking"})] == ["tracking"]


def spoil_scenes(results: Results, edit: Callable[[list[str]], list[str]]) -> None:
    lines = results.scenes_csv.read_text().splitlines()
    results.scenes_csv.write_text("\r\n".join(edit(lines)) + "\r\n")


def spoil_frames(path: Path, edit: Callable[[list[dict[str, object]]], list[dict[str, object]]]) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"frames_analysis": edit(document["frames_analysis"])}))


SPOILT: dict[str, tuple[Callable[[Results], object], Trouble, str, str]] = {
    "scenes end early": (lambda r: spoil_scenes(r, lambda s: s[:-1]), Trouble.MISMATCH, "scenes", "end at frame 5"),
    "a gap": (lambda r: spoil_scenes(r, lambda s: [s[0], s[2]]), Trouble.MISMATCH, "scenes", "gap at frame 1"),
    "no table": (lambda r: r.scenes_csv.write_text("x"), Trouble.DAMAGED, "scenes", "run phase 3"),
    "no numbers": (lambda r: spoil_scenes(r, lambda s: [s[0], "a,b,c,d,e"]), Trouble.DAMAGED, "scenes", "run phase 3"),
    "probabilities": (lambda r: r.scenes_json.write_text("{"), Trouble.DAMAGED, "scenes", "run phase 3"),
    "audio too short": (
        lambda r: spoil_frames(r.audio_json, lambda f: f[:-1]),
        Trouble.MISMATCH,
        "audio",
        "have 9 fra",
    ),
    "a frame is missing": (
        lambda r: spoil_frames(r.tracking_json, lambda f: f[:3] + f[4:]),
        Trouble.MISMATCH,
        "tracking",
        "have frame 5 where frame 4",
    ),
    "truncated": (
        lambda r: r.tracking_json.write_bytes(r.tracking_json.read_bytes()[:-9]),
        Trouble.DAMAGED,
        "tracking",
        "it is truncated",
    ),
    "no video": (lambda r: r.video.write_bytes(b""), Trouble.VIDEO, "", "empty"),
}


@pytest.mark.parametrize(("spoil", "trouble", "phase", "words"), SPOILT.values(), ids=SPOILT.keys())
def test_what_is_wrong_is_said(
    film: Path, spoil: Callable[[Results], object], trouble: Trouble, phase: str, words: str
) -> None:
    spoil(Results(film))
    (problem,) = check_results(film)
    assert (problem.trouble, problem.phase) == (trouble, phase)
    assert words in problem.message
