"""What a run works on when it is not told."""

from pathlib import Path

import pytest

from lib.offers.defaults import parameters, place
from lib.settings import Settings


def test_by_default_everything_lies_in_the_home(tmp_path: Path) -> None:
    told = parameters(Settings(home=tmp_path))
    names = {"mail": "mail", "store": "offers.db", "profile": "profile.toml"}
    assert {key: told[key] for key in names} == {key: str(tmp_path / "offers" / name) for key, name in names.items()}
    assert told["options"] == {}


def test_settings_name_other_places_and_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = parameters(Settings(home=tmp_path, mailbox="imap", offer_store="airtable", seeker="me.toml"))
    assert (told["mail"], told["store"], told["profile"]) == ("imap", "airtable", str(tmp_path / "me.toml"))


@pytest.mark.parametrize("text", ["", "imap", "airtable", "sqlite:///tmp/offers.db"])
def test_what_is_no_path_stays_as_it_is(text: str) -> None:
    assert place(text) == text
