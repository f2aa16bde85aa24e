from typing import Any

import pytest

from lib.runs.family import name_for, subject_in
from lib.runs.plan import Phase, Workflow

PLAN = Workflow("work", "Work", "m:f", (Phase(1, "p", "P", "m:f", "base"),), subject="source")


@pytest.mark.parametrize(
    ("parameters", "subject"),
    [
        ({"source": "/in/a film.zip"}, "a film.zip"),
        ({"source": "film.zip", "out": "/elsewhere"}, "film.zip"),
        ({"source": "https://example.org"}, "example.org"),
        ({"source": "x" * 5000}, "x" * 200),
        ({"source": "/"}, ""),
        ({"source": 12}, ""),
        ({"source": None}, ""),
        ({}, ""),
    ],
)
def test_a_run_is_about_the_last_part_of_its_subject_and_goes_by_that_name(
    parameters: dict[str, Any], subject: str
) -> None:
    assert subject_in(PLAN, parameters) == subject
    assert name_for(PLAN, parameters) == (f"work · {subject}" if subject else None)
