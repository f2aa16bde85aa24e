"""What a run of `video` left, in Markdown for the Prefect UI: files that failed, and where the reports are."""

from collections.abc import Iterable

from lib.runs.page import cell
from lib.runs.plan import Phase
from lib.runs.report import ItemState
from lib.video.workspace import Workspace


def results_markdown(workspace: Workspace, phases: Iterable[Phase]) -> str:
    """Return the files that failed in these phases, with the reasons, and the places of the reports."""
    failures = [
        f"| {cell(item.subject)} | {phase.name} | {cell(item.reason)} |"
        for phase in phases
        for item in workspace.outcomes(phase.key).values()
        if item.state is ItemState.FAILED
    ]
    lines = (
        ["", "## Files that failed", "", "| File | Phase | Why |", "| --- | --- | --- |", *failures] if failures else []
    )
    if reports := sorted(workspace.output.glob("*/report.html")):
        lines += ["", "## Reports", "", *(f"- {cell(str(report))}" for report in reports)]
    return "\n".join(lines) + "\n"
