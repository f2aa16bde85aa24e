"""The live table of a run's phases."""

from datetime import timedelta

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lib.runs.status import PhaseStatus, RunState, RunStatus

BAR_WIDTH = 12
MARKS = {
    RunState.PENDING: ("·", "dim"),
    RunState.RUNNING: ("▶", "cyan"),
    RunState.PAUSED: ("‖", "yellow"),
    RunState.COMPLETED: ("✓", "green"),
    RunState.PARTIAL: ("◐", "yellow"),
    RunState.FAILED: ("✗", "red"),
    RunState.CRASHED: ("✗", "red"),
    RunState.CANCELLED: ("■", "magenta"),
    RunState.SKIPPED: ("–", "dim"),
}


def phases_table(status: RunStatus) -> Table:
    """Return the phases of a run as a table: state, bar, counters, time, and what is there to know.

    The last column says what is worked on while a phase runs, then what went wrong, else which engines did it.
    """
    mark, style = MARKS[status.state]
    title = Text.assemble((f"{mark} {status.workflow} ", style), (status.subject, "bold"), f"  {status.progress:.0f} %")
    table = Table(title=title, title_justify="left", pad_edge=False, box=None, header_style="dim", expand=True)
    table.add_column("")
    table.add_column("Phase", no_wrap=True)
    table.add_column("State", no_wrap=True)
    table.add_column("Progress", width=BAR_WIDTH)
    table.add_column("Done", no_wrap=True, justify="right")
    table.add_column("Time", no_wrap=True, justify="right")
    table.add_column("", overflow="ellipsis", no_wrap=True, ratio=1)
    for phase in status.phases:
        _add(table, phase)
    return table


def _add(table: Table, phase: PhaseStatus) -> None:
    mark, style = MARKS[phase.state]
    bar = ProgressBar(total=100, completed=phase.progress, width=BAR_WIDTH, complete_style=style, finished_style=style)
    trouble = phase.error and phase.state is not RunState.SKIPPED
    table.add_row(
        str(phase.number),
        phase.name,
        Text(f"{mark} {phase.state.value}", style=style),
        bar if phase.state not in {RunState.PENDING, RunState.SKIPPED} else Text(""),
        counters(phase),
        clock(phase.duration),
        Text(phase.item or phase.error or outcome(phase), style="red" if trouble else "dim"),
    )


def outcome(phase: PhaseStatus) -> str:
    """Return what a phase found, and by which engine."""
    return " · ".join(filter(None, (phase.figures, phase.engine)))


def counters(phase: PhaseStatus) -> str:
    """Return the counters of a phase in words: `3/12 (1 failed)`."""
    if not phase.total:
        return ""
    words = f"{phase.done}/{phase.total}"
    return f"{words} ({phase.failed} failed)" if phase.failed else words


def clock(seconds: float | None) -> str:
    """Return a duration as people read it: `4.2 s`, `1:05`, `2:01:09`."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds))).removeprefix("0:").lstrip("0")
