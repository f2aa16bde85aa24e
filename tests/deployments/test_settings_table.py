"""The page of settings is what the model says, and says something of each."""

from pathlib import Path

import pytest

from deployments.settings_table import Row, markdown, rows

PAGE = Path(__file__).resolve().parents[2] / "docs/settings.md"


def test_the_page_of_the_documentation_is_current() -> None:
    assert PAGE.read_text() == markdown(), "run: regie settings --markdown > docs/settings.md"


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_every_setting_says_what_it_does(row: Row) -> None:
    assert len(row.description.split()) >= 3
    assert row.kind


def test_a_setting_in_a_group_has_a_variable_of_its_own() -> None:
    assert {row.variable for row in rows()} >= {"REGIE_HOME", "REGIE_VIDEO__SCENES__THRESHOLD"}
