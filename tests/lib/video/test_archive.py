import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.files import is_temporary, sha256
from lib.video.archive import VERSIONS, Action, archive_video, find_archived, is_sound
from lib.video.provenance import Provenance
from lib.video.results import Results

ROOT = Path(__file__).parents[3]


@pytest.fixture
def film(tmp_path: Path, make_film: Callable[..., Path], write_results: Callable[..., Path]) -> Path:
    return write_results(make_film(tmp_path / "projects" / "103 Camille" / "my film.mp4"))


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def stamps(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_results_lie_under_project_and_content(film: Path, archives: Path) -> None:
    digest = sha256(film)
    entry, action = archive_video(film, "103 Camille", archives, digest, {"scenes": 1.5})
    folder = archives / "103 Camille" / digest
    assert (entry.folder, action) == (folder, Action.WRITTEN)
    assert sorted(path.name for path in folder.iterdir()) == [
        "metadata.json",
        "my film.rttm",
        "my film_audio.json",
        "my film_scenes.csv",
        "my film_scenes.json",
        "my film_tracking.json",
    ]
    assert (folder / "my film_scenes.csv").read_bytes() == Results(film).scenes_csv.read_bytes()
    metadata = json.loads((folder / "metadata.json").read_text())
    assert list(metadata)[:5] == ["video_path", "video_stem", "video_hash", "created_at", "copied"]
    assert list(metadata["copied"])[:3] == ["scenes", "audio", "tracking"]
    assert metadata["copied"]["audio"] == str(folder / "my film_audio.json")
    assert metadata["video_path"] == str(film)
    assert metadata["created_at"].endswith("+00:00")
    assert metadata["engines"] == {"scenes": "scenes engine", "audio": "audio engine", "tracking": "tracking engine"}
    assert metadata["options"]["tracking"] == {"threshold": 0.5}
    assert metadata["durations"] == {"scenes": 1.5}
    provenance = Provenance.read(Results(film).audio_json)
    assert provenance
    assert metadata["fingerprints"]["audio"] == provenance.fingerprint
    assert metadata["results"]["rttm"] == sha256(Results(film).rttm)


def test_the_contract_keys_come_in_the_contracts_order(film: Path, archives: Path) -> None:
    contract = ROOT.parent / "shared" / "testdata" / "contracts" / "metadata.json"
    if not contract.exists():
        pytest.skip("../shared/testdata/contracts is absent")
    expected = contract.read_text()
    folder = archive_video(film, "p", archives, sha256(film))[0].folder
    text = (folder / "metadata.json").read_text()
    assert list(json.loads(text))[:5] == list(json.loads(expected))
    assert list(json.loads(text)["copied"])[:3] == list(json.loads(expected)["copied"])
    assert text.splitlines()[:2] == ["{", f'  "video_path": "{film}",'], "indented by two, as the contract"
    assert not text.endswith("\n")


def test_the_same_again_changes_nothing(film: Path, archives: Path) -> None:
    archive_video(film, "p", archives, sha256(film))
    before = stamps(archives)
    assert archive_video(film, "p", archives, sha256(film))[1] is Action.KEPT
    assert stamps(archives) == before


def test_changed_results_replace_and_the_old_ones_stay_in_versions(
    film: Path, archives: Path, write_results: Callable[..., Path]
) -> None:
    digest = sha256(film)
    folder = archive_video(film, "p", archives, digest)[0].folder
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_results(film, threshold=0.7)
    entry, action = archive_video(film, "p", archives, digest)
    assert action is Action.REPLACED
    assert (folder / "my film_audio.json").read_bytes() == Results(film).audio_json.read_bytes()
    (version,) = (folder / VERSIONS).iterdir()
    assert {path.name: path.read_bytes() for path in version.iterdir()} == old
    assert archive_video(film, "p", archives, digest)[1] is Action.KEPT
    assert find_archived(archives, sha256=digest)[0].fingerprint("audio") == entry.fingerprint("audio")


def test_what_is_missing_or_broken_does_not_replace_what_is_archived(
    film: Path, archives: Path, write_results: Callable[..., Path]
) -> None:
    digest = sha256(film)
    folder = archive_video(film, "p", archives, digest)[0].folder
    good = (folder / "my film_tracking.json").read_bytes()
    write_results(film, threshold=0.7)
    Results(film).tracking_json.write_text('{"frames_analysis": [')
    Results(film).audio_json.unlink()
    archive_video(film, "p", archives, digest)
    assert (folder / "my film_tracking.json").read_bytes() == good
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["copied"]["audio"] == str(folder / "my film_audio.json")
    assert metadata["options"] == {
        "scenes": {"threshold": 0.7},
        "audio": {"threshold": 0.5},
        "tracking": {"threshold": 0.5},
    }
    assert archive_video(film, "p", archives, digest)[1] is Action.KEPT


def test_a_result_that_never_was_is_null(film: Path, archives: Path) -> None:
    Results(film).tracking_json.unlink()
    folder = archive_video(film, "p", archives, sha256(film))[0].folder
    assert json.loads((folder / "metadata.json").read_text())["copied"]["tracking"] is None


def test_the_same_content_under_another_name(film: Path, archives: Path, write_results: Callable[..., Path]) -> None:
    digest = sha256(film)
    archive_video(film, "p", archives, digest)
    other = film.rename(film.with_name("other.mp4"))
    for path in list(film.parent.glob("my film*")):
        path.rename(path.with_name(path.name.replace("my film", "other")))
    assert archive_video(other, "p", archives, digest)[1] is Action.KEPT, "the content is there"
    write_results(other, threshold=0.7)
    entry, action = archive_video(other, "p", archives, digest)
    assert action is Action.REPLACED
    assert {path.name for path in entry.folder.glob("my film*")} == set()
    assert set(entry.files) == {"scenes", "audio", "tracking", "scenes_json", "rttm"}


def test_nothing_to_archive(film: Path, archives: Path) -> None:
    for path in film.parent.iterdir():
        if path != film:
            path.unlink()
    with pytest.raises(InputError, match="no results to archive"):
        archive_video(film, "p", archives, sha256(film))
    assert not archives.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "\0"])
def test_a_project_is_one_folder(film: Path, archives: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a project"):
        archive_video(film, name, archives, sha256(film))


def test_names_of_any_bytes(tmp_path: Path, make_film: Callable[..., Path], write_results: Callable[..., Path]) -> None:
    film = make_film(tmp_path / "plain.mp4").rename(tmp_path / os.fsdecode(b'caf\xe9 \xf0\x9f\x8e\xac\n".mp4'))
    write_results(film)
    entry, _ = archive_video(film, "p", tmp_path / "archives", sha256(film))
    assert json.loads((entry.folder / "metadata.json").read_text())["video_hash"] == sha256(film)
    (found,) = find_archived(tmp_path / "archives", sha256=sha256(film))
    assert len(found.files) == 5


def test_found_by_content_first_then_by_stem(
    film: Path, archives: Path, make_film: Callable[..., Path], write_results: Callable[..., Path]
) -> None:
    digest = sha256(film)
    archive_video(film, "old project", archives, digest)
    archive_video(film, "new project", archives, digest)
    namesake = write_results(make_film(film.parent.parent / "x" / "my film.mp4", shade=50))
    archive_video(namesake, "namesake", archives, sha256(namesake))
    found = find_archived(archives, sha256=digest, stem="my film")
    assert [entry.project for entry in found] == ["new project", "old project", "namesake"]
    assert find_archived(archives, sha256="0" * 64) == []
    assert find_archived(archives / "absent", sha256=digest, stem="x") == []


@pytest.mark.parametrize("metadata", [None, b"", b"[]", b"{", b'{"video_stem": 4}', b'{"video_stem": "../../etc/x"}'])
def test_foreign_and_broken_metadata(film: Path, archives: Path, metadata: bytes | None) -> None:
    digest = sha256(film)
    folder = archive_video(film, "p", archives, digest)[0].folder
    if metadata is None:
        (folder / "metadata.json").unlink()
    else:
        (folder / "metadata.json").write_bytes(metadata)
    (archives / "a file").write_text("")
    (archives / "p" / "a folder of somebody").mkdir()
    (found,) = find_archived(archives, sha256=digest)
    assert (found.stem, found.sha256, found.legacy) == ("my film", digest, True)
    assert found.files["audio"] == folder / "my film_audio.json"
    assert [entry.folder for entry in find_archived(archives, stem="my film")] == [folder]


def test_a_kill_between_files_is_made_good(
    film: Path, archives: Path, write_results: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = sha256(film)
    folder = archive_video(film, "p", archives, digest)[0].folder
    old = (folder / "my film_audio.json").read_bytes()
    write_results(film, threshold=0.7)
    with monkeypatch.context() as patch:
        patch.setattr("lib.video.archive._metadata", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            archive_video(film, "p", archives, digest)
    archive_video(film, "p", archives, digest)
    (version,) = (folder / VERSIONS).iterdir()
    assert (version / "my film_audio.json").read_bytes() == old, "the version is what was there before"
    assert archive_video(film, "p", archives, digest)[1] is Action.KEPT
    assert not any(map(is_temporary, archives.rglob("*")))


def test_is_sound(film: Path) -> None:
    results = Results(film)
    assert all(map(is_sound, [results.scenes_csv, results.scenes_json, results.audio_json, results.rttm]))
    results.scenes_csv.write_text("")
    results.scenes_json.write_text("{")
    assert not any(map(is_sound, [results.scenes_csv, results.scenes_json, results.report_html]))
