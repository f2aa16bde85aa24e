"""Analyses that are not done twice, with a small real one: the mean luminance of each frame, and a label file."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from pydantic import BaseModel, Field

from lib.errors import InputError, UnavailableError
from lib.files import is_temporary, replacing, sha256
from lib.progress import Progress
from lib.video.analysis import Choice, Summary
from lib.video.archive import archive_video
from lib.video.cache import ResultCache
from lib.video.hashes import HashBook
from lib.video.once import Action, Outcome, analyse_once, is_current
from lib.video.provenance import Provenance, relevant
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reduce import reduce_results
from lib.video.results import Results


class Options(BaseModel):
    loudness: float = 100
    threads: int = Field(default=1, json_schema_extra={"affects_result": False})


@dataclass
class Luminance:
    """Says that somebody speaks in each frame that is brighter than `loudness`."""

    version: str = "1"
    analysed: list[Path] = field(default_factory=list)

    def outputs(self, video: Path) -> tuple[Path, ...]:
        return Results(video).audio_json, Results(video).rttm

    def choose(self, options: Options) -> Choice:
        return Choice("luminance", self.version, "there is no other")

    def inputs(self, video: Path, options: Options) -> Mapping[str, str]:
        scenes = Provenance.read(Results(video).scenes_json)
        return {"scenes": scenes.fingerprint} if scenes else {}

    def analyse(self, video: Path, options: Options, video_sha256: str, progress: Progress) -> Summary:
        self.analysed.append(video)
        frames, lines = [], []
        with av.open(str(video)) as container:
            for number, frame in enumerate(container.decode(video=0), 1):
                loud = float(frame.to_ndarray(format="gray").mean()) > options.loudness
                info = {"is_speech_present": loud, "active_speaker_labels": ["A"] * loud, "timecode_sec": number / 25}
                frames.append({"frame": number, "audio_info": info})
                if loud:
                    name = video.stem.replace(" ", "_")
                    lines.append(f"SPEAKER {name} 1 {number / 25:.3f} 0.040 <NA> <NA> A <NA> <NA>\n")
                progress(number, 10)
        provenance = Provenance(
            "audio", "luminance", self.version, "there is no other", video_sha256, relevant(options),
            self.inputs(video, options),
        )  # fmt: skip
        audio, rttm = self.outputs(video)
        with replacing(rttm) as temporary:
            temporary.write_text("".join(lines))
        with replacing(audio) as temporary:
            temporary.write_text(json.dumps({"provenance": provenance.as_dict(), "frames_analysis": frames}))
        return Summary("luminance", self.version, "there is no other", {"loud": len(lines)}, ("a note",))


@dataclass
class Place:
    folder: Path
    analysis: Luminance
    cache: ResultCache
    hashes: HashBook
    archives: Path

    def once(self, video: Path, options: Options | None = None, **more: Any) -> Outcome:
        return analyse_once(
            self.analysis, "audio", video, options or Options(), self.cache, self.hashes, self.archives, **more
        )

    def current(self, video: Path, options: Options | None = None) -> bool:
        return is_current(self.analysis, "audio", video, options or Options(), self.hashes)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(
        tmp_path,
        Luminance(),
        ResultCache(tmp_path / "home" / "results", 10**9),
        HashBook(tmp_path / "home" / "hashes.sqlite"),
        tmp_path / "archives",
    )


@pytest.fixture
def film(place: Place, make_film: Callable[..., Path]) -> Path:
    path = make_film(place.folder / "projects" / "one" / "a film.mp4", frames=10, shade=60)
    os.utime(path, (1, 1))
    return path


def copied(film: Path, name: str) -> Path:
    path = film.parent.parent / "two" / name
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(film, path)
    return path


def stamps(video: Path) -> list[tuple[str, int]]:
    return sorted((path.name, path.stat().st_mtime_ns) for path in video.parent.iterdir())


def test_computed_once_then_kept(place: Place, film: Path) -> None:
    assert not place.current(film)
    first = place.once(film)
    assert (first.action, dict(first.summary.counts)) == (Action.COMPUTED, {"loud": 5})
    assert place.current(film)
    before = stamps(film)
    second = place.once(film)
    assert second.action is Action.KEPT
    assert second.fingerprint == first.fingerprint
    assert second.summary == first.summary, "counts and notes too"
    assert stamps(film) == before
    assert place.analysis.analysed == [film]


def test_another_name_in_another_project_is_recalled(place: Place, film: Path) -> None:
    first = place.once(film)
    other = copied(film, "another film\n2.mp4")
    outcome = place.once(other)
    assert (outcome.action, outcome.fingerprint) == (Action.RECALLED, first.fingerprint)
    assert place.analysis.analysed == [film]
    assert Results(other).audio_json.read_bytes() == Results(film).audio_json.read_bytes()
    assert {line.split()[1] for line in Results(other).rttm.read_text().splitlines()} == {"another_film_2"}
    assert place.current(other)
    assert place.once(other).action is Action.KEPT


def test_options_that_matter_and_those_that_do_not(place: Place, film: Path) -> None:
    place.once(film)
    assert place.once(film, Options(threads=8)).action is Action.KEPT
    assert place.once(film, Options(loudness=90)).action is Action.COMPUTED
    assert place.once(film).action is Action.RECALLED, "back to what was computed first"


def test_a_new_engine_version_or_input_computes_again(place: Place, film: Path) -> None:
    place.once(film)
    place.analysis.version = "2"
    assert place.once(film).action is Action.COMPUTED
    scenes = Provenance("scenes", "e", "1", "", "x", {})
    Results(film).scenes_json.write_text(json.dumps({"provenance": scenes.as_dict()}))
    assert place.once(film).action is Action.COMPUTED


def test_changed_content_computes_again(place: Place, film: Path, make_film: Callable[..., Path]) -> None:
    place.once(film)
    make_film(film, shade=90)
    assert not place.current(film)
    assert place.once(film).action is Action.COMPUTED


def test_force_computes_again(place: Place, film: Path) -> None:
    place.once(film)
    assert place.once(film, force=True).action is Action.COMPUTED


def test_a_lost_output_is_recalled(place: Place, film: Path) -> None:
    place.once(film)
    Results(film).rttm.unlink()
    assert not place.current(film)
    assert place.once(film).action is Action.RECALLED
    assert Results(film).rttm.exists()


def test_reduced_files_are_kept(place: Place, film: Path) -> None:
    place.once(film)
    reduce_results(film, ReduceOptions())
    assert "timecode_sec" not in Results(film).audio_json.read_text()
    assert place.once(film).action is Action.KEPT


def test_without_a_cache_the_archives_have_it(place: Place, film: Path) -> None:
    first = place.once(film)
    archive_video(film, "one", place.archives, sha256(film))
    place.cache.clear()
    other = copied(film, "other.mp4")
    outcome = place.once(other)
    assert (outcome.action, outcome.fingerprint) == (Action.ARCHIVED, first.fingerprint)
    assert outcome.summary.engine == "luminance"
    assert {line.split()[1] for line in Results(other).rttm.read_text().splitlines()} == {"other"}
    assert place.current(other)
    assert place.once(other, Options(loudness=1)).action is Action.COMPUTED, "not with other options"


@pytest.mark.parametrize("kind", ["audio", "rttm"])
def test_damaged_archives_are_not_used(place: Place, film: Path, kind: str) -> None:
    place.once(film)
    entry, _ = archive_video(film, "one", place.archives, sha256(film))
    entry.files[kind].write_text("x")
    place.cache.clear()
    other = copied(film, "other.mp4")
    assert place.once(other).action is Action.COMPUTED
    assert not any(map(is_temporary, other.parent.iterdir()))


def test_legacy_archives_count_when_accepted(place: Place, film: Path) -> None:
    digest = sha256(film)
    folder = place.archives / "103 old 2026-01-13_15-21-46" / digest
    folder.mkdir(parents=True)
    audio = {"frames_analysis": [{"frame": 1, "audio_info": {"is_speech_present": True, "active_speaker_labels": []}}]}
    (folder / "old name_audio.json").write_text(json.dumps(audio, indent=2))
    metadata = {"video_path": "/x/old name.mp4", "video_stem": "old name", "video_hash": digest, "created_at": "2026"}
    (folder / "metadata.json").write_text(json.dumps(metadata | {"copied": {}}))
    assert place.once(film, accept_legacy=True).action is Action.ARCHIVED
    assert json.loads(Results(film).audio_json.read_text()) == audio
    before = stamps(film)
    outcome = place.once(film, accept_legacy=True)
    assert (outcome.action, outcome.fingerprint, outcome.summary.engine) == (Action.ARCHIVED, "", "unknown")
    assert stamps(film) == before
    assert place.once(film).action is Action.COMPUTED


def test_errors_pass_and_leave_nothing(place: Place, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(options: Options) -> Choice:
        raise UnavailableError("no engine: get one")

    with monkeypatch.context() as patch:
        patch.setattr(place.analysis, "choose", nothing)
        with pytest.raises(UnavailableError):
            place.once(film)

    def stop(done: int, total: int, item: str = "") -> None:
        raise InputError("stop")

    with pytest.raises(InputError):
        place.once(film, progress=stop)
    assert [path.name for path in film.parent.iterdir()] == [film.name]
    assert place.cache.size() == 0
