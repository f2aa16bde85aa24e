"""The live table of a run's phases."""

from datetime import UTC, datetime, timedelta

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lib.runs.status import PhaseStatus, RunState, RunStatus
from lib.words import visible

BAR_WIDTH = 12
SECONDS_OF_A_DAY = 24 * 3600
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


def run_table(status: RunStatus) -> Group:
    """Return a run as a table of its phases, and below it when it is thought to end, or how it ended."""
    return Group(phases_table(status), as_told(ending(status), "bold"))


def as_told(text: str, style: str = "") -> Text:
    """Return a text from outside, the name of a file say, without what would steer a terminal."""
    return Text(visible(text, kept="\n\t"), style=style)


def ending(status: RunStatus) -> str:
    """Return when a run is thought to end and what that rests on: `ends about 14:05:10, in 2:10 (median of 12 runs)`.

    Of a run that ended, how.
    """
    if status.state.final:
        return f"{status.state.value}: {status.message}"
    if status.stopping:
        return "it was asked to stop"
    if status.estimated_end is None:
        return ""
    left = max((status.estimated_end - datetime.now(UTC)).total_seconds(), 0.0)
    day = "%H:%M:%S" if left < SECONDS_OF_A_DAY else "%Y-%m-%d %H:%M"
    return f"ends about {status.estimated_end.astimezone():{day}}, in {clock(left)} ({status.basis})"


def phases_table(status: RunStatus) -> Table:
    """Return the phases of a run as a table: state, bar, counters, time, and what is there to know.

    The last column says what is worked on while a phase runs, then what went wrong, else which engines did it.
    """
    mark, style = MARKS[status.state]
    again = f"  attempt {status.attempt}" if status.attempt > 1 else ""
    title = Text.assemble(
        (f"{mark} {status.workflow} ", style),
        as_told(status.subject, "bold"),
        f"  {status.progress:.0f} %",
        (again, "dim"),
    )
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
        Text(f"{mark} {'stopping' if phase.stopping else phase.state.value}", style=style),
        bar if phase.state not in {RunState.PENDING, RunState.SKIPPED} else Text(""),
        counters(phase),
        clock(phase.duration),
        as_told(phase.item or phase.error or outcome(phase), "red" if trouble else "dim"),
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
