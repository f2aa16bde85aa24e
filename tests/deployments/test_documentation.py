"""The documentation names what there is."""

import re
from pathlib import Path

import pytest

from deployments.environments import ENVIRONMENTS
from lib.runs.status import PhaseStatus, RunState, RunStatus
from lib.workflows import workflows

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("workflow", workflows().values(), ids=lambda workflow: workflow.key)
def test_every_workflow_has_a_page_that_tells_of_each_phase(workflow) -> None:
    page = (ROOT / f"docs/{workflow.key}.md").read_text()
    for phase in workflow.phases:
        assert f"| {phase.number} | {phase.name} | `{phase.environment}` |" in page


def test_the_table_of_environments_names_each() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    assert [key for key in ENVIRONMENTS if f"| `{key}` |" not in page] == []


def test_every_command_is_in_the_readme() -> None:
    from deployments.cli import main  # noqa: F401
    from deployments.cli.app import app

    readme = (ROOT / "README.md").read_text()
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert [name for name in names if f"regie {name}" not in readme] == []


@pytest.mark.parametrize("name", [*RunStatus.model_fields, *PhaseStatus.model_fields, *RunState])
def test_the_page_of_runs_tells_every_field_and_state(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/runs.md").read_text()
