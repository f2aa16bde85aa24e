"""What is particular about offers in a file."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lib.errors import InputError, UnavailableError
from lib.offers.statuses import Status
from lib.offers.stores import sqlite
from lib.offers.stores.base import Change, GoneError, RefusedError
from lib.offers.stores.options import StoreOptions
from lib.offers.stores.sqlite import VERSION, SqliteStore

from .conftest import everything, offer

OPTIONS = StoreOptions()


def database(path: Path, *statements: str) -> None:
    """Do to a file what a person does with a tool for SQLite."""
    with closing(sqlite3.connect(path)) as tool:
        for statement in statements:
            tool.execute(statement)
        tool.commit()


def made(path: Path) -> Path:
    """Make a store with one offer."""
    with closing(SqliteStore(path, OPTIONS)) as store:
        store.add([offer()])
    return path


def test_the_file_and_its_folder_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "for offers" / "offers.db"
    with closing(SqliteStore(path, OPTIONS)) as store:
        assert everything(store) == []
    assert [each.name for each in path.parent.iterdir()] == ["offers.db"]


def test_a_store_that_must_be_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "offers.db"
    with pytest.raises(InputError, match=r"There is no store .*offers\.db"):
        SqliteStore(path, OPTIONS, must_exist=True)
    assert list(tmp_path.iterdir()) == []
    with closing(SqliteStore(made(path), OPTIONS, must_exist=True)) as store:
        assert len(everything(store)) == 1


def test_a_file_that_was_made_without_autoincrement_keeps_offers_apart_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_TABLE", sqlite._TABLE.replace("AUTOINCREMENT", ""))
    path = made(tmp_path / "offers.db")
    with closing(SqliteStore(path, OPTIONS)) as store:
        (gone,) = everything(store)
        database(path, "DELETE FROM offers")
        (other,) = store.add([offer(2)])
        assert other.record == gone.record
        with pytest.raises(GoneError):
            store.change([Change(gone, replace(gone, note="perdue"))])
        assert everything(store) == [other]
        assert store.problems() == []


def test_statuses_are_words_that_a_person_may_edit(tmp_path: Path) -> None:
    path = made(tmp_path / "offers.db")
    with closing(sqlite3.connect(path)) as tool:
        assert tool.execute("SELECT status FROM offers").fetchall() == [("A compléter",)]
    database(path, "UPDATE offers SET status = 'Ignorée'")
    with closing(SqliteStore(path, OPTIONS)) as store:
        assert [each.status for each in everything(store)] == [Status.IGNORED]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"Lien;Titre\n" * 100, "damaged, or no database"), (b"SQLite format 3\x00" + b"\xff" * 5000, "damaged")],
)
def test_a_file_that_is_no_database_is_said_to_be(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "offers.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        SqliteStore(path, OPTIONS)
    assert path.read_bytes() == content


def test_a_file_with_a_damaged_page_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "offers.db"
    with closing(SqliteStore(path, OPTIONS)) as store:
        for number in range(30):
            store.add([offer(number, description="x" * 3000)])
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    with closing(SqliteStore(path, OPTIONS)) as store:
        with pytest.raises(InputError, match="damaged"):
            everything(store)
        assert any("damaged" in problem for problem in store.problems())


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    database(path, "CREATE TABLE offers (price REAL)")
    content = path.read_bytes()
    with pytest.raises(InputError, match="something else: give another file"):
        SqliteStore(path, OPTIONS)
    assert path.read_bytes() == content


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = made(tmp_path / "offers.db")
    database(path, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(InputError, match="newer version of Régie: update"):
        SqliteStore(path, OPTIONS)


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "offers.db"
    path.touch()
    with closing(SqliteStore(path, OPTIONS)) as store:
        assert store.problems() == []


def test_a_column_that_was_taken_away_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "offers.db")
    database(path, "ALTER TABLE offers DROP COLUMN salary")
    with closing(SqliteStore(path, OPTIONS)) as store:
        (problem,) = store.problems()
        assert "no column salary: add it" in problem
        with pytest.raises(InputError, match="no such column: salary"):
            everything(store)


def test_a_column_that_was_added_does_no_harm(tmp_path: Path) -> None:
    path = made(tmp_path / "offers.db")
    database(path, "ALTER TABLE offers ADD COLUMN avis TEXT", "UPDATE offers SET avis = 'bon'")
    with closing(SqliteStore(path, OPTIONS)) as store:
        (found,) = everything(store)
        store.change([Change(found, replace(found, note="lue"))])
    with closing(sqlite3.connect(path)) as tool:
        assert tool.execute("SELECT avis, note FROM offers").fetchall() == [("bon", "lue")]


def test_cells_that_are_no_text_are_read_all_the_same(tmp_path: Path) -> None:
    path = made(tmp_path / "offers.db")
    database(path, "UPDATE offers SET title = x'ff00', company = CAST(x'c3' AS TEXT), place = 44000, score = 'haut'")
    with closing(SqliteStore(path, OPTIONS)) as store:
        (found,) = everything(store)
        assert (found.title, found.company, found.place, found.score) == ("", "\ufffd", "44000", None)
        better = store.add([offer(2, score=1), offer(3, score=2)])
        assert store.find("", Status.TO_COMPLETE) == [better[1], better[0], found]


def test_a_folder_in_its_place_is_said_to_be_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="cannot be used: unable to open"):
        SqliteStore(tmp_path, OPTIONS)
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="cannot be made"):
        SqliteStore(tmp_path / "file" / "offers.db", OPTIONS)


def test_a_write_of_another_program_is_waited_for_and_then_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0.05)
    path = made(tmp_path / "offers.db")
    with closing(SqliteStore(path, OPTIONS)) as store, closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="database is locked"):
            store.add([offer(2)])
        assert len(everything(store)) == 1
        tool.execute("ROLLBACK")
        assert store.add([offer(2)])


def test_a_link_of_another_offer_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "offers.db", OPTIONS)) as store:
        first, second = store.add([offer(1), offer(2)])
        changes = [Change(first, replace(first, note="lue")), Change(second, replace(second, link=first.link))]
        with pytest.raises(RefusedError, match=r"UNIQUE constraint failed: offers\.link"):
            store.change(changes)
        assert everything(store) == [first, second]


def test_many_that_open_a_new_file_at_once_make_one_table(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with closing(SqliteStore(tmp_path / "offers.db", OPTIONS)) as store:
                store.add([offer(number), offer(99)])
        except BaseException as error:  # noqa: BLE001  # told of below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with closing(SqliteStore(tmp_path / "offers.db", OPTIONS)) as store:
        assert len(everything(store)) == 9


def test_what_a_rule_of_the_user_s_own_forbids_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = made(tmp_path / "offers.db")
    rule = (
        "CREATE TRIGGER dear BEFORE INSERT ON offers WHEN new.salary IS NULL BEGIN SELECT RAISE(ABORT, 'unpaid'); END"
    )
    database(path, rule)
    with closing(SqliteStore(path, OPTIONS)) as store:
        with pytest.raises(RefusedError, match="does not take it: unpaid"):
            store.add([offer(2), offer(3, salary="")])
        assert len(everything(store)) == 1
