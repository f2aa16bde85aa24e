"""What a run of `video` did, in a page of Markdown for the Prefect UI."""

from collections.abc import Iterable

from lib.runs.plan import Phase
from lib.runs.report import ItemState
from lib.video.workspace import Workspace


def summary_markdown(
    source: str, workspace: Workspace, phases: Iterable[tuple[Phase, str, str]], seconds: float
) -> str:
    """Return the table of results and where the reports are; `phases` are phase, verdict and its line."""
    lines = [f"# {cell(source)}", "", f"{seconds:.0f} s in all.", ""]
    lines += ["| Phase | State | What |", "| --- | --- | --- |"]
    failures: list[str] = []
    for phase, verdict, message in phases:
        lines.append(f"| {phase.number} {phase.name} | {verdict} | {cell(message)} |")
        failures += [
            f"| {cell(item.subject)} | {phase.name} | {cell(item.reason)} |"
            for item in workspace.outcomes(phase.key).values()
            if item.state is ItemState.FAILED
        ]
    if failures:
        lines += ["", "## Files that failed", "", "| File | Phase | Why |", "| --- | --- | --- |", *failures]
    reports = sorted(workspace.output.glob("*/report.html"))
    if reports:
        lines += ["", "## Reports", "", *(f"- {cell(str(report))}" for report in reports)]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Return a text from outside as one that Markdown shows as it is, on one line."""
    flat = " ".join(text.split())
    return "".join(f"&#{ord(c)};" if c in "\\`*_{}[]()<>#|!&~" else c for c in flat)
