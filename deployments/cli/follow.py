"""Follow a run to its end on the terminal."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from deployments.cli.app import COMPLETED, FAILED, INTERRUPTED, PARTIAL
from deployments.cli.table import run_table
from lib.runs.status import RunState, RunStatus
from lib.workflows import workflows

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from lib.runs.server import Connection

SECONDS_BETWEEN_LOOKS = 0.5
WIDTH_OF_A_FILE = 140
"""Characters a line when the output goes to a file or a log."""
EXIT_CODES = {RunState.COMPLETED: COMPLETED, RunState.PARTIAL: PARTIAL, RunState.CANCELLED: INTERRUPTED}


def exit_code(status: RunStatus) -> int:
    """Return the exit code of a command that followed a run to this end."""
    return EXIT_CODES.get(status.state, FAILED)


def follow(
    connection: "Connection", run_id: str, *, show: bool = True, check: Callable[[], None] = lambda: None
) -> RunStatus:
    """Follow a run to its end; `check` is called at every look and raises when that end will not come."""
    from lib.runs.reader import read_status

    console = Console(stderr=True)
    status = connection(read_status, run_id, workflows())
    live = Live(run_table(status), console=console, refresh_per_second=4, transient=True)
    with live if show and console.is_terminal else contextlib.nullcontext():
        while not status.state.final:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            check()
            status = connection(read_status, run_id, workflows())
            live.update(run_table(status))
    return status


@contextlib.contextmanager
def cancelled_on_leaving(run_id: str) -> Iterator[None]:
    """Cancel a run when the block is left by an error or Ctrl-C."""
    try:
        yield
    except BaseException:
        from lib.runs.control import cancel_run
        from lib.runs.reader import RunNotFoundError
        from lib.runs.server import ServerError

        with contextlib.suppress(RunNotFoundError, ServerError):  # what ended the block is to be told
            cancel_run(run_id)
        raise


def output() -> Console:
    """Return standard output, wide enough for a table where it is no terminal."""
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    return console
