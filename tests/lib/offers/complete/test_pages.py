"""Pages of job sites, each read as what it is."""

import tomllib
from pathlib import Path

import pytest

from benchmarks.offer_pages import Case, cases, checks, run

FLOORS = tomllib.loads((Path(__file__).resolve().parents[4] / "benchmarks" / "floors.toml").read_text())["offer_pages"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_page_is_read_as_what_it_is(case: Case) -> None:
    assert [what for what, well in checks(case) if not well] == []


def test_the_share_of_fields_that_are_read_right_keeps_to_its_floors() -> None:
    shares = {row["source"]: row["share"] for row in run() if row["source"] != "all"}
    assert shares.keys() == FLOORS.keys()
    assert {source: share for source, share in shares.items() if share < FLOORS[source]} == {}
