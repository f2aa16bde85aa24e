import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import lib.video.hashes
from lib.video.hashes import HashBook


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "a film 🎬.mp4"
    path.write_bytes(b"film" * 1000)
    os.utime(path, (1, 1))
    return path


@pytest.fixture
def book(tmp_path: Path) -> HashBook:
    return HashBook(tmp_path / "home" / "hashes.sqlite")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which files were read, while they really are."""
    files: list[Path] = []
    real = lib.video.hashes.sha256

    def counted(path: Path) -> str:
        files.append(path)
        return real(path)

    monkeypatch.setattr(lib.video.hashes, "sha256", counted)
    return files


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_read_once(book: HashBook, film: Path, read: list[Path]) -> None:
    assert {book.sha256(film) for _ in range(3)} == {digest(film)}
    assert HashBook(book.path).sha256(film) == digest(film)
    assert read == [film]


@pytest.mark.parametrize("change", ["size", "time", "replaced"])
def test_a_changed_file_is_read_again(book: HashBook, film: Path, read: list[Path], change: str) -> None:
    book.sha256(film)
    if change == "size":
        film.write_bytes(b"longer" * 1000)
        os.utime(film, (1, 1))
    elif change == "time":
        film.write_bytes(b"mlif" * 1000)
        os.utime(film, (2, 2))
    else:
        other = film.with_name("other")
        other.write_bytes(b"mlif" * 1000)
        os.utime(other, (1, 1))
        other.replace(film)
    assert book.sha256(film) == digest(film)
    assert len(read) == 2


def test_a_file_that_was_just_written_is_not_trusted(book: HashBook, film: Path, read: list[Path]) -> None:
    film.write_bytes(b"new")
    assert book.sha256(film) == book.sha256(film) == digest(film)
    assert len(read) == 2


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_book_is_made_anew(book: HashBook, film: Path, read: list[Path], content: bytes) -> None:
    book.path.parent.mkdir()
    book.path.write_bytes(content)
    for _ in range(2):
        assert book.sha256(film) == digest(film)
    assert len(read) == 1


def test_a_book_that_cannot_be_written_costs_time_only(tmp_path: Path, film: Path) -> None:
    (tmp_path / "file").write_text("")
    assert HashBook(tmp_path / "file" / "hashes.sqlite").sha256(film) == digest(film)


def test_names_need_not_be_text(book: HashBook, tmp_path: Path, read: list[Path]) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\n.mp4")
    path.write_bytes(b"x")
    os.utime(path, (1, 1))
    assert book.sha256(path) == book.sha256(path) == digest(path)
    assert len(read) == 1


def test_several_processes_share_a_book(book: HashBook, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(30):
        path = folder / str(number)
        path.write_bytes(os.urandom(100))
        os.utime(path, (1, 1))
    code = (
        "import sys; from pathlib import Path; from lib.video.hashes import HashBook; "
        "[HashBook(Path(sys.argv[1])).sha256(path) for path in Path(sys.argv[2]).iterdir()]"
    )
    command = [sys.executable, "-c", code, str(book.path), str(folder)]
    processes = [subprocess.Popen(command, cwd=Path(__file__).parents[3]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    connection = sqlite3.connect(book.path)
    found = {row[0] for row in connection.execute("SELECT sha256 FROM hashes")}
    connection.close()
    assert found == {digest(path) for path in folder.iterdir()}
