import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.home import is_full, prepare, trouble_with
from lib.errors import InputError
from lib.settings import Settings


def test_a_home_is_made_with_its_folders(tmp_path: Path) -> None:
    config = Settings(home=tmp_path / "la Régie" / "home")
    prepare(config)
    assert sorted(path.name for path in config.home.iterdir()) == ["prefect", "run"]
    assert not any(config.run_folder.iterdir())


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write in its home .*/file/home: Not a directory\. .*REGIE_HOME="):
        prepare(Settings(home=tmp_path / "file" / "home"))


def test_a_home_whose_disk_is_away_is_not_called_full(tmp_path: Path) -> None:
    assert not is_full(tmp_path / "nowhere")


def test_a_good_database_is_not_what_kept_the_server_from_starting(
    make_home: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert trouble_with(make_home(tmp_path / "home") / "prefect/prefect.db", "Address already in use") == ""
    assert trouble_with(tmp_path / "nowhere.db", "") == ""


def test_a_database_that_is_damaged_in_the_middle_is_named(make_home: Callable[[Path], Path], tmp_path: Path) -> None:
    database = make_home(tmp_path / "home") / "prefect/prefect.db"
    content = bytearray(database.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    database.write_bytes(content)
    assert trouble_with(database, "").startswith(f"The database {database} is damaged (")
    assert database.read_bytes() == content


def test_a_database_that_another_program_holds_is_not_called_damaged(tmp_path: Path) -> None:
    database = tmp_path / "prefect.db"
    with sqlite3.connect(database) as holding:
        holding.execute("CREATE TABLE t (x)")
    holding.execute("BEGIN EXCLUSIVE")
    try:
        assert trouble_with(database, "") == f"The database {database} cannot be used: database is locked."
    finally:
        holding.close()
