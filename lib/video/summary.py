"""What a run of `video` left, in Markdown for the Prefect UI: files that failed, and where the reports are."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.runs.page import cell


def results_markdown(failures: Sequence[Mapping[str, str]], reports: Sequence[Path | str]) -> str:
    """Return the files that failed (`file`, `phase`, `reason`), and the places of the reports."""
    lines: list[str] = []
    if failures:
        lines += ["", "## Files that failed", "", "| File | Phase | Why |", "| --- | --- | --- |"]
        rows = ([cell(failed[key]) for key in ("file", "phase", "reason")] for failed in failures)
        lines += [f"| {' | '.join(row)} |" for row in rows]
    if reports:
        lines += ["", "## Reports", "", *(f"- {cell(str(report))}" for report in reports)]
    return "\n".join(lines) + "\n"
