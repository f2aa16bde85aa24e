"""A mirror has what storage has, and storage what is made in the mirror, each file whole."""

import errno
import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.errors import InputError
from lib.files import is_temporary
from lib.storage import Mirror, Remote
from lib.storage.mirror import trim

Put = Callable[[str, bytes], None]


def everything(names: object) -> list[str]:
    return list(names)  # type: ignore[call-overload]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stored(remote: Remote) -> dict[str, bytes]:
    return {name: remote.read(name) for name in remote.list()}


@pytest.fixture
def mirror(remote: Remote, tmp_path: Path) -> Mirror:
    return Mirror(remote, tmp_path / "mirrors")


def test_what_is_wanted_is_fetched_under_its_name(mirror: Mirror, put: Put) -> None:
    put("a film.mp4", b"film")
    put("é/ü%20?#.txt", b"text")
    put("left/there", b"no")
    with mirror.opened():
        mirror.pull(lambda names: [name for name in names if not name.startswith("left/")])
        assert tree(mirror.folder) == {"a film.mp4": b"film", "é/ü%20?#.txt": b"text"}
    assert mirror.folder.name == "work", "as the folder that it mirrors"


def test_what_was_made_is_handed_over_and_what_went_is_removed(mirror: Mirror, put: Put) -> None:
    put("old", b"1")
    put("changed", b"1")
    with mirror.opened():
        mirror.pull(everything)
        (mirror.folder / "old").unlink()
        replaced(mirror.folder / "changed", b"2")
        (mirror.folder / "new").mkdir()
        (mirror.folder / "new/file").write_bytes(b"3")
        assert mirror.push() == 3
        assert stored(mirror.remote) == {"changed": b"2", "new/file": b"3"}
        assert mirror.push() == 0


def test_what_did_not_change_is_not_fetched_again(mirror: Mirror, put: Put) -> None:
    put("film", b"film")
    with mirror.opened():
        mirror.pull(everything)
    before = (mirror.folder / "film").stat()
    with mirror.opened():
        mirror.pull(everything, at_most=0)
    after = (mirror.folder / "film").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_changed_in_storage_changes_here(mirror: Mirror, put: Put) -> None:
    put("film", b"film")
    put("folder/file", b"file")
    with mirror.opened():
        mirror.pull(everything)
    put("film", b"FILM")
    mirror.remote.delete(["folder/file"])
    put("folder", b"a file now")
    with mirror.opened():
        mirror.pull(everything)
        assert tree(mirror.folder) == {"film": b"FILM", "folder": b"a file now"}


def test_what_is_outdated_and_not_wanted_is_not_left_lying(mirror: Mirror, put: Put) -> None:
    put("film", b"film")
    with mirror.opened():
        mirror.pull(everything)
    put("film", b"FILM")
    with mirror.opened():
        mirror.pull(lambda _names: [])
        assert tree(mirror.folder) == {}
        assert mirror.push() == 0
    assert stored(mirror.remote) == {"film": b"FILM"}


def test_a_file_has_the_same_time_on_every_machine(remote: Remote, tmp_path: Path) -> None:
    one, other = Mirror(remote, tmp_path / "one"), Mirror(remote, tmp_path / "other")
    with one.opened():
        (one.folder / "film").write_bytes(b"film")
        os.utime(one.folder / "film", ns=(1, 1_600_000_000_123_456_789))
        one.push()
    with other.opened():
        other.pull(everything)
    assert (other.folder / "film").stat().st_mtime_ns == 1_600_000_000_123_456_789


def test_what_a_killed_process_left_is_forgotten_by_who_is_alone(mirror: Mirror, put: Put) -> None:
    put("film", b"film")
    put("result", b"result")
    with mirror.opened():
        mirror.pull(everything)
        replaced(mirror.folder / "result", b"half thought out")
        (mirror.folder / ".abc.regie-tmp").write_bytes(b"half")
        (mirror.folder / "never handed over").write_bytes(b"1")
        (mirror.folder / "film").unlink()
    with mirror.opened():
        mirror.pull(everything)
        assert tree(mirror.folder) == {"film": b"film", "result": b"result"}


def test_what_others_of_this_machine_work_on_stays(mirror: Mirror, tmp_path: Path, put: Put) -> None:
    put("film", b"film")
    put("book", b"1")
    other = Mirror(mirror.remote, tmp_path / "mirrors")
    with other.opened():
        other.pull(everything)
        (other.folder / "made").write_bytes(b"made")
        (other.folder / ".abc.regie-tmp").write_bytes(b"half")
        replaced(other.folder / "book", b"2")
        with mirror.opened():
            mirror.pull(everything)
            assert tree(other.folder) == {"film": b"film", "book": b"2", "made": b"made", ".abc.regie-tmp": b"half"}
        other.push()
    assert stored(mirror.remote) == {"film": b"film", "book": b"2", "made": b"made"}


def test_a_book_that_another_phase_writes_meanwhile_does_not_come_before_what_it_promises(mirror: Mirror) -> None:
    (walk, walks) = mirror._files, itertools.count()

    def meanwhile() -> Iterator[tuple[str, os.stat_result]]:
        yield from walk()
        if next(walks) == 1:
            (mirror.folder / "result").write_bytes(b"result")
            replaced(mirror.folder / ".regie/book", b"there is a result")

    with mirror.opened():
        (mirror.folder / ".regie").mkdir()
        (mirror.folder / ".regie/book").write_bytes(b"there is nothing")
        mirror._files = meanwhile  # type: ignore[method-assign]
        mirror.push()
        assert stored(mirror.remote) == {}
        mirror.push()
        assert stored(mirror.remote) == {"result": b"result", ".regie/book": b"there is a result"}


@pytest.mark.parametrize("without", [errno.ENOLCK, errno.ENOTSUP])
def test_on_a_disk_without_locks_nobody_removes_what_others_may_be_making(
    mirror: Mirror, put: Put, without: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(without, os.strerror(without))

    monkeypatch.setattr(fcntl, "flock", refuse)
    put("film", b"film")
    with mirror.opened():
        mirror.pull(everything)
        (mirror.folder / "made").write_bytes(b"made")
        with Mirror(mirror.remote, tmp_path / "mirrors").opened():
            pass
        mirror.push()
    assert stored(mirror.remote) == {"film": b"film", "made": b"made"}


def test_a_mirror_that_is_removed_as_it_is_entered_is_made_again(
    mirror: Mirror, put: Put, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put("film", b"film")
    with mirror.opened():
        mirror.pull(everything)
    flock, shared = fcntl.flock, itertools.count()

    def removed_in_between(file: Any, how: int) -> None:
        if how == fcntl.LOCK_SH and next(shared) == 0:
            flock(file, fcntl.LOCK_UN)
            assert trim(tmp_path / "mirrors", 0) == 1
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", removed_in_between)
    with mirror.opened():
        assert trim(tmp_path / "mirrors", 0) == 0, "it is in use"
        mirror.pull(everything)
        assert tree(mirror.folder) == {"film": b"film"}


HOSTILE = ("../out", "a/../../out", "/absolute", "a//b", "a/./b", "a\\b", "x" * 300, "\x01name", "dir/")


def test_names_that_would_fall_out_are_left_out_and_told(s3: str, tmp_path: Path) -> None:
    import s3fs

    from lib.storage import connect

    for name in (*HOSTILE, "good", "both", "both/below"):
        s3fs.S3FileSystem().call_s3("put_object", Bucket=s3[5:], Key=f"work/{name}", Body=b"x")
    mirror = Mirror(connect(f"{s3}/work"), tmp_path / "mirrors")
    with mirror.opened():
        refused = mirror.pull(everything)
    assert tree(mirror.folder) == {"good": b"x", "both/below": b"x"}
    assert {p for p in tmp_path.rglob("*") if p.is_file() and p.read_bytes() == b"x"} == {
        mirror.folder / "good",
        mirror.folder / "both/below",
    }
    assert set(refused) == {*HOSTILE[:-1], "both"}
    assert refused["../out"] == "it leads out of its folder"


def test_links_and_temporary_files_stay_here(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with mirror.opened():
        (mirror.folder / "link").symlink_to(tmp_path / "secret")
        (mirror.folder / ".abc.regie-tmp.mp4").write_bytes(b"half")
        assert mirror.push() == 0
    assert stored(mirror.remote) == {}


def test_a_name_that_is_not_utf8_is_told_once_the_others_are_handed_over(mirror: Mirror) -> None:
    with mirror.opened():
        (mirror.folder / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"1")
        (mirror.folder / "good").write_bytes(b"2")
        with pytest.raises(InputError, match=r"caf\\udce9.txt"):
            mirror.push()
    assert stored(mirror.remote) == {"good": b"2"}


def test_a_full_disk_is_told(mirror: Mirror, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("film", b"film")

    def full(*_args: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mirror.remote._fs, "get_file", full)
    with mirror.opened(), pytest.raises(InputError, match="full"):
        mirror.pull(everything)
    assert tree(mirror.folder) == {}


def test_a_mirror_that_is_removed_under_a_run_empties_no_storage(mirror: Mirror, put: Put) -> None:
    import shutil

    put("film", b"film")
    with mirror.opened():
        mirror.pull(everything)
        shutil.rmtree(mirror.folder)
        with pytest.raises(InputError, match="removed"):
            mirror.push()
    assert stored(mirror.remote) == {"film": b"film"}


def test_a_damaged_index_costs_time_only(mirror: Mirror, put: Put, tmp_path: Path) -> None:
    put("film", b"film")
    with mirror.opened():
        mirror.pull(everything)
    [index] = (tmp_path / "mirrors").glob("*/index.db")
    index.write_bytes(b"not a database at all, but long enough to look at" * 50)
    with mirror.opened():
        mirror.pull(everything)
        assert tree(mirror.folder) == {"film": b"film"}


def test_mirrors_keep_their_limit_together_and_one_in_use_stays(tmp_path: Path) -> None:
    from lib.storage import connect

    home = tmp_path / "mirrors"
    mirrors = [Mirror(connect(f"file://{tmp_path}/storage/{name}"), home) for name in ("one", "two", "three")]
    for number, each in enumerate(mirrors):
        with each.opened():
            (each.folder / "film").write_bytes(bytes(100_000))
            each.push()
        [users] = [path for path in home.glob("*/users") if (path.parent / each.folder.name).exists()]
        os.utime(users, (number, number))
    with mirrors[0].opened():
        assert trim(home, 250_000) == 1
    assert [each.folder.exists() for each in mirrors] == [True, False, True]
    assert trim(home, 0) == 2
    assert [path for path in home.iterdir() if not is_temporary(path)] == []


def replaced(path: Path, content: bytes) -> None:
    """Replace a file as Régie does: by another one."""
    other = path.with_name(f".{path.name}.regie-tmp")
    other.write_bytes(content)
    other.replace(path)
