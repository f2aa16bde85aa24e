"""A run as a page of Markdown, for those who look at it in the Prefect UI."""

from datetime import UTC

from lib.runs.status import RunState, RunStatus

BAR_LENGTH = 10


def phases_markdown(status: RunStatus) -> str:
    """Return the phases of a run in their order: state, progress, counters, time, and what is to know of each."""
    lines = [f"# {cell(status.subject)}", "", _summary(status), ""]
    lines += ["| Phase | State | Progress | Done | Time | What |", "| --- | --- | --- | ---: | ---: | --- |"]
    for phase in status.phases:
        state = _state(phase.state, phase.stopping, phase.attempt)
        done = f"{phase.done}/{phase.total}" if phase.total else ""
        time = f"{phase.duration:.1f} s" if phase.duration is not None else ""
        what = phase.item or phase.error or ", ".join(filter(None, (phase.figures, phase.engine)))
        progress = f"`{bar(phase.progress)}` {phase.progress:.0f} %" if phase.run_id else ""
        lines.append(f"| {phase.number} {cell(phase.name)} | {state} | {progress} | {done} | {time} | {cell(what)} |")
    return "\n".join(lines) + "\n"


def _summary(status: RunStatus) -> str:
    words = f"**{_state(status.state, status.stopping, status.attempt)}**, {status.progress:.0f} %"
    if status.estimated_end is None:
        return words
    return f"{words}, ends about {status.estimated_end.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC ({status.basis})"


def _state(state: RunState, stopping: bool, attempt: int) -> str:
    words = [state.value] + ["stopping"] * stopping + [f"attempt {attempt}"] * (attempt > 1)
    return ", ".join(words)


def bar(percent: float) -> str:
    """Return a bar of ten characters."""
    full = int(percent * BAR_LENGTH / 100)
    return "█" * full + "░" * (BAR_LENGTH - full)


def cell(text: str) -> str:
    """Return a text from outside as one that Markdown shows as it is, on one line."""
    flat = " ".join(text.split())
    return "".join(f"&#{ord(c)};" if c in "\\`*_{}[]()<>#|!&~" else c for c in flat)
