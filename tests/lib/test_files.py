import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.files import is_temporary, replacing, replacing_folder, sha256, sweep

HOSTILE_NAMES = [
    "film.mp4",
    'it\'s a "film" 🎬.mp4',
    "two\nlines.json",
    "-rf.json",
    "é" * 127 + "x",  # 255 bytes
    os.fsdecode(b"caf\xe9.json"),  # not UTF-8
]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_file_is_written_whatever_its_name(tmp_path: Path, name: str) -> None:
    with replacing(tmp_path / name) as temporary:
        temporary.write_text("new")
    assert (tmp_path / name).read_text() == "new"
    assert names(tmp_path) == [name]


def test_the_old_file_is_there_until_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "film.json"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
        assert temporary.parent == target.parent
        assert is_temporary(temporary)
    assert target.read_text() == "new"
    assert not is_temporary(target)


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "film.json"
    target.write_text("old")

    def write() -> None:
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["film.json"]


def test_a_block_that_writes_nothing_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "film.json"
    target.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(target):
        pass
    assert target.read_text() == "old"
    assert names(tmp_path) == ["film.json"]


def test_a_target_that_is_a_folder_is_refused_without_a_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "film"
    target.mkdir()
    with pytest.raises(OSError, match="directory"), replacing(target) as temporary:
        temporary.write_text("new")
    assert names(tmp_path) == ["film"]


def test_the_suffix_is_kept_in_the_temporary_name(tmp_path: Path) -> None:
    with replacing(tmp_path / "film.mp4", ".mp4") as temporary:
        assert temporary.suffix == ".mp4"
        assert is_temporary(temporary)
        temporary.write_bytes(b"")


def test_two_that_write_the_same_file_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "film.json"
    with replacing(target) as one, replacing(target) as other:
        one.write_text("outer")
        other.write_text("inner")
    assert target.read_text() == "outer"
    assert names(tmp_path) == ["film.json"]


KILLED = """
import os, signal, sys
from pathlib import Path
from lib.files import replacing, replacing_folder
target = Path(sys.argv[2])
if sys.argv[1] == "file":
    with replacing(target, ".json") as temporary:
        temporary.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
else:
    with replacing_folder(target) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "file").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_in_the_block_leaves_the_old_file_and_what_sweep_finds(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    target = folder / "film.json"
    target.write_text("old")
    killed = subprocess.run([sys.executable, "-c", KILLED, "file", str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    assert len(names(folder)) == 2
    assert sweep(tmp_path) == 1
    assert names(folder) == ["film.json"]
    assert sweep(tmp_path) == 0


def test_a_process_killed_while_it_fills_a_folder_leaves_what_sweep_finds(tmp_path: Path) -> None:
    target = tmp_path / "project"
    killed = subprocess.run([sys.executable, "-c", KILLED, "folder", str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert sweep(tmp_path) == 1
    assert names(tmp_path) == []


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "project"
    with replacing_folder(target) as temporary:
        (temporary / "a").mkdir()
        (temporary / "a" / "b.txt").write_text("b")
        assert not target.exists()
        assert is_temporary(temporary)
    assert (target / "a" / "b.txt").read_text() == "b"
    assert names(tmp_path) == ["project"]


def test_a_folder_whose_block_fails_leaves_nothing(tmp_path: Path) -> None:
    def fill() -> None:
        with replacing_folder(tmp_path / "project") as temporary:
            (temporary / "half").write_text("half")
            raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        fill()
    assert names(tmp_path) == []


def test_a_folder_is_never_put_over_one_that_holds_something(tmp_path: Path) -> None:
    target = tmp_path / "project"
    target.mkdir()
    (target / "mine").write_text("mine")
    with pytest.raises(FileExistsError, match="something in that folder already"), replacing_folder(target):
        pytest.fail("the work is not even begun")
    assert names(tmp_path) == ["project"]
    assert names(target) == ["mine"]


def test_a_folder_is_not_put_over_one_that_was_filled_in_the_meantime(tmp_path: Path) -> None:
    target = tmp_path / "project"

    def fill() -> None:
        with replacing_folder(target) as temporary:
            (temporary / "theirs").write_text("theirs")
            target.mkdir()
            (target / "mine").write_text("mine")

    with pytest.raises(OSError, match="not empty"):
        fill()
    assert names(tmp_path) == ["project"]
    assert names(target) == ["mine"]


def test_sweep_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with replacing(outside / "film") as being_written:
        being_written.write_text("written by another")
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / ".hidden").write_text("mine")
        (folder / "film.regie-tmp").write_text("mine")
        (folder / "link").symlink_to(outside, target_is_directory=True)
        assert sweep(folder) == 0
        assert being_written.exists()
    assert names(folder) == [".hidden", "film.regie-tmp", "link"]


def test_sweep_takes_away_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "film").write_text("film")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / ".0123.regie-tmp").symlink_to(precious, target_is_directory=True)
    assert sweep(folder) == 1
    assert names(folder) == []
    assert names(precious) == ["film"]


def test_a_folder_that_is_not_there_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep(tmp_path / "absent") == 0


@given(content=st.binary(max_size=5000))
def test_sha256_is_that_of_the_content(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    assert sha256(path) == hashlib.sha256(content).hexdigest()
