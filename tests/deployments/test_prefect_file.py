"""`prefect.yaml` is read strictly: what Prefect ignores without a word is refused with its line."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deployments.prefect_file import PrefectFile, ScheduleEntry, read
from lib.errors import InputError

ENTRY = {
    "name": "scheduled",
    "version": "1",
    "description": "Find the cuts.",
    "tags": ["regie"],
    "entrypoint": "flows.video.scenes.scenes_phase",
    "work_pool": {"name": "regie-scenes"},
    "parameters": {"source": "/films", "options": {"scenes": {"threshold": 0.4}}},
    "enforce_parameter_schema": True,
    "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
    "schedules": [{"cron": "0 3 * * *", "timezone": "Europe/Paris", "active": False, "slug": "nightly"}],
}
GOOD = {"name": "regie", "prefect-version": "3.8.8", "pull": [], "deployments": [ENTRY]}
FREE = "parameters"
"""Whose keys are the flow's."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prefect.yaml"


def changed(place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The good file with another value at a place, or with one more."""
    said: Any = copy.deepcopy(GOOD)
    node = said
    for part in place[:-1]:
        node = node[part]
    node[place[-1]] = value
    return said


def refusal(path: Path, said: Any) -> str:
    path.write_text(said if isinstance(said, str) else yaml.safe_dump(said, sort_keys=False))
    with pytest.raises(InputError) as refused:
        read(path)
    return str(refused.value)


def test_a_file_that_was_written_is_read_and_written_the_same(path: Path) -> None:
    text = PrefectFile.model_validate(GOOD).dump()
    path.write_text(text)
    assert read(path).dump() == text
    assert yaml.safe_load(text)["pull"] == [], "else Prefect would have the runs work in the folder of the file"


def mappings(node: Any = GOOD, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all mappings of a file whose keys are known."""
    if isinstance(node, dict):
        yield place
        for key, value in node.items():
            if key != FREE:
                yield from mappings(value, (*place, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from mappings(value, (*place, number))


@given(
    place=st.sampled_from(list(mappings())),
    key=st.sampled_from(["schedule", "cron", "parameter", "pool", "limit", "work_queue_name", "Name", "paused"]),
)
def test_a_key_that_is_unknown_or_misplaced_is_named_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[str | int, ...], key: str
) -> None:
    node: Any = GOOD
    for part in place:
        node = node[part]
    if key in node:
        return
    path = tmp_path_factory.mktemp("file") / "prefect.yaml"
    said = refusal(path, changed((*place, key), "x"))
    [line] = [line for line in said.splitlines() if key in line]
    number = int(line.split("line ")[1].split(":")[0])
    assert path.read_text().splitlines()[number - 1].strip(" -") == f"{key}: x"


WRONG = [
    (("deployments", 0, "schedules", 0, "cron"), "0 3 * *", "'0 3 \\* \\*' is no cron line"),
    (("deployments", 0, "schedules", 0, "cron"), "61 3 * * *", "is no cron line"),
    (("deployments", 0, "schedules", 0, "timezone"), "Europe/Pairs", "no time zone 'Europe/Pairs'"),
    (("deployments", 0, "schedules", 0, "interval"), 60, "one of both"),
    (("deployments", 0, "schedules", 0, "parameters"), {"source": "x"}, "parameters"),
    (("deployments", 0, "entrypoint"), "flows.video.scenes.scene_phase", "there is no flow"),
    (("deployments", 0, "entrypoint"), "flows/video/scenes.py:scenes_phase", "entrypoint"),
    (("deployments", 0, "parameters"), {"only": [3]}, "no parameter 'only'"),
    (("deployments", 0, "parameters"), {"options": {"scenes": {"threshold": 4}}}, "options.scenes.threshold"),
    (("deployments", 0, "parameters"), {"options": {"scenes": {"treshold": 0.4}}}, "treshold"),
    (("deployments", 0, "concurrency_limit"), None, "would overlap"),
    (("deployments", 0, "concurrency_limit", "limit"), 0, "greater than or equal to 1"),
    (("deployments", 0, "concurrency_limit", "collision_strategy"), "WAIT", "CANCEL_NEW"),
    (("deployments", 0, "enforce_parameter_schema"), False, "enforce_parameter_schema"),
    (("pull",), [{"prefect.deployments.steps.set_working_directory": {"directory": "/x"}}], "pull"),
    (("deployments",), [ENTRY, ENTRY], "video-scenes/scheduled is there twice"),
]


@pytest.mark.parametrize(("place", "value", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_a_value_that_cannot_be_is_refused_in_words(
    path: Path, place: tuple[str | int, ...], value: Any, words: str
) -> None:
    said = refusal(path, changed(place, value))
    assert words.replace("\\", "") in said
    assert "line " in said


def test_a_key_that_is_there_twice_is_refused(path: Path) -> None:
    text = yaml.safe_dump(GOOD, sort_keys=False)
    assert "line 2: name is there twice" in refusal(path, text.replace("name: regie", "name: regie\nname: regie", 1))


def test_what_is_no_yaml_or_not_there_is_said(path: Path) -> None:
    with pytest.raises(InputError, match="`regie catalogue --write` makes it"):
        read(path)
    assert "is no YAML" in refusal(path, "deployments: [")
    assert "is wrong" in refusal(path, "")


def test_a_schedule_is_off_unless_somebody_switched_it_on() -> None:
    schedule = ScheduleEntry(cron="0 3 * * *", timezone="UTC", slug="nightly")
    assert schedule.active is None
    assert schedule.model_dump()["active"] is False
