"""What the commands of `offers` say before any run, and what they list."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deployments.cli import main  # noqa: F401  # adds the commands
from deployments.cli.app import app
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.offers.stores.options import StoreOptions
from lib.offers.stores.sqlite import SqliteStore

Command = Callable[..., Result]


@pytest.fixture
def regie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in this process, in a home of its own."""
    (tmp_path / "home").mkdir()
    for name in ("REGIE_HOME", "PREFECT_HOME", "PREFECT_PROFILES_PATH"):  # the command sets the last two itself
        monkeypatch.setenv(name, str(tmp_path / "home"))

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "offers.db"
    opened = SqliteStore(path, StoreOptions())
    opened.add(
        [
            Offer("https://a.example/1", source="APEC", title="=HYPERLINK(1)", status=Status.ANALYSED, score=40),
            Offer("https://a.example/2", source="APEC", title="Baker \x1b[31m", status=Status.ANALYSED, score=90),
            Offer("https://a.example/3", source="Indeed", title="Cook", status=Status.ANALYSED, score=70),
            Offer("https://a.example/4", source="Indeed", title="Nurse", status=Status.EXPIRED),
        ]
    )
    opened.close()
    return path


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mail", "/nowhere/at all"), "there is no file or folder /nowhere/at all (--mail)"),
        (("--profile", "/nowhere.toml"), "there is no file or folder /nowhere.toml (--profile)"),
        (("--mail", "imaps://me:s3cret@mail.example"), "a password has no place in --mail"),
        (("--store", "postgres://me:s3cret@db.example"), "a password has no place in --store"),
        (("--only", "4"), "has no phase 4"),
        (("--only", "two"), "--only takes numbers of phases"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_started(
    regie: Command, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    refused = regie("run", "offers", *arguments)
    assert refused.exit_code == 2
    assert words in " ".join(refused.stderr.replace("│", " ").split())
    assert "s3cret" not in refused.stderr
    assert list((tmp_path / "home").iterdir()) == []


def test_offers_are_listed_the_best_first(regie: Command, store: Path) -> None:
    listed = regie("offers", "list", "--store", store, "--json")
    assert [each["score"] for each in json.loads(listed.stdout)] == [90, 70, 40]
    table = regie("offers", "list", "--store", store, "--source", "Indeed").stdout
    assert "Cook" in table
    assert "Baker" not in table


def test_what_would_steer_a_terminal_or_a_spreadsheet_is_shown_as_text(regie: Command, store: Path) -> None:
    assert "\x1b" not in regie("offers", "list", "--store", store).stdout
    rows = list(csv.DictReader(io.StringIO(regie("offers", "list", "--store", store, "--csv").stdout.lstrip("\ufeff"))))
    assert rows[-1]["title"] == "'=HYPERLINK(1)"


def test_a_check_says_what_does_not_work_and_what_does(regie: Command, store: Path) -> None:
    checked = regie("offers", "check", "--store", store, "--json")
    assert checked.exit_code == 1
    found = {each["what"]: each for each in json.loads(checked.stdout)}
    assert found["store"]["works"] is True
    assert found["engine embedded"]["works"] is True
    assert found["mailbox"]["works"] is False
    assert found["profile"]["works"] is False
    assert "profile.toml" in " ".join(found["profile"]["words"])
