"""What is deployed, as the workflows and the settings say it."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from deployments.catalogue import NO_OVERLAP, SCHEDULED, catalogue, portable
from deployments.prefect_file import DeploymentEntry, read
from lib.errors import InputError
from lib.runs.schedule import Schedule
from lib.settings import Limits, Settings
from lib.workflows import workflows

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = [pytest.param(entry, id=entry.full_name) for entry in catalogue(Settings()).deployments]


def entry(name: str, **config: Any) -> DeploymentEntry:
    return {each.full_name: each for each in catalogue(Settings.model_validate(config)).deployments}[name]


def test_prefect_yaml_is_right_and_current() -> None:
    file = ROOT / "prefect.yaml"
    assert read(file).dump() == file.read_text()
    assert catalogue(portable()).dump() == file.read_text(), "run: regie catalogue --write"


def test_prefect_yaml_is_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGIE_INBOX", str(tmp_path))
    monkeypatch.setenv("REGIE_SCHEDULES", json.dumps({"video": {"interval": 60, "active": True}}))
    text = catalogue(portable()).dump()
    assert text == (ROOT / "prefect.yaml").read_text()
    assert str(tmp_path) not in text
    assert str(Path.home()) not in text


def test_every_flow_of_every_workflow_is_in_it() -> None:
    declared = {
        name
        for workflow in workflows().values()
        for name in (workflow.flow_name(), *map(workflow.flow_name, workflow.phases))
    }
    assert {each.flow.name for each in catalogue(Settings()).deployments} == declared


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_it_runs_with_by_default_fits_the_flow(entry: DeploymentEntry) -> None:
    taken = inspect.signature(entry.flow.fn).parameters
    required = {name for name, parameter in taken.items() if parameter.default is inspect.Parameter.empty}
    assert required <= entry.parameters.keys() <= taken.keys()
    entry.flow.validate_parameters(entry.parameters)


def fields(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every field of a form: the parameters, and what is in the groups of options."""
    groups = [schema, *schema["definitions"].values()]
    return [(name, field) for group in groups for name, field in group.get("properties", {}).items()]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_person_reads_what_each_field_of_the_form_is_for(entry: DeploymentEntry) -> None:
    assert entry.description.endswith(".")
    assert "Args" not in entry.description
    for name, field in fields(dict(entry.parameter_schema)):
        assert field.get("title") or "$ref" in field, name
        assert field.get("description"), name


def test_the_form_says_which_numbers_there_are() -> None:
    properties = entry("video/regie").parameter_schema["properties"]
    numbers = [properties["first"], properties["last"], properties["only"]["anyOf"][0]]
    for number in (numbers[0]["anyOf"][0], numbers[1]["anyOf"][0], numbers[2]["items"]):
        assert (number["minimum"], number["maximum"]) == (1, len(workflows()["video"].phases))


def test_a_schedule_makes_a_deployment_of_its_own_whose_runs_do_not_overlap() -> None:
    found = entry(f"video/{SCHEDULED}", schedules={"video": {"cron": "0 3 * * *", "parameters": {"last": 2}}})
    [schedule] = found.schedules
    assert (schedule.cron, schedule.timezone, schedule.active) == ("0 3 * * *", "UTC", None)
    assert found.concurrency_limit == NO_OVERLAP
    assert found.parameters == {**entry("video/regie").parameters, "last": 2}


def test_a_workflow_brings_its_own_schedule_which_a_setting_switches_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    nightly = replace(workflows()["video"], schedule=Schedule(cron="0 3 * * *", timezone="Europe/Paris"))
    monkeypatch.setattr("deployments.catalogue.workflows", lambda: {"video": nightly})
    [declared] = entry(f"video/{SCHEDULED}").schedules
    assert (declared.cron, declared.timezone, declared.active) == ("0 3 * * *", "Europe/Paris", None)
    [switched] = entry(f"video/{SCHEDULED}", schedules={"video": {"active": True}}).schedules
    assert (switched.cron, switched.active) == ("0 3 * * *", True)


@pytest.mark.parametrize(
    ("schedules", "words"),
    [
        ({"vidoe": {"interval": 60}}, "no workflow 'vidoe'.*there are video"),
        ({"video": {"active": True}}, "schedules.video is wrong: it has no schedule of its own"),
        ({"video": {"cron": "every night"}}, "schedules.video is wrong: .*'every night' is no cron line"),
        ({"video": {"interval": 60, "parameters": {"sauce": ""}}}, "no parameter 'sauce'"),
        ({"video": {"interval": 60, "parameters": {"first": 9}}}, "parameter first does not fit"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_in_words(schedules: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        catalogue(Settings.model_validate({"schedules": schedules}))


def test_the_page_of_the_documentation_names_every_deployment_with_its_pool_and_its_limit() -> None:
    page = (ROOT / "docs" / "deployments.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `") and "`flows." in line]
    limited = Limits.model_fields
    assert rows == [
        f"| `{each.full_name}` | `{each.entrypoint}` | `{each.work_pool.name}` | "
        + (f"`limits.{key}` |" if (key := each.work_pool.name.removeprefix("regie-")) in limited else "|")
        for each in catalogue(Settings()).deployments
    ]
    for command in ("catalogue", "deploy"):
        assert f"regie {command}" in page
