"""What the commands about runs have in common: a server to read from, and how a run is named."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from deployments.cli.app import configured, say
from deployments.stack import Stack, stack
from lib.errors import InputError
from lib.runs.status import RunStatus
from lib.workflows import workflows

if TYPE_CHECKING:  # Prefect takes seconds to import, and reads where it is at home while it is
    from lib.runs.server import Connection

LATEST = "latest"
MOST_SHORT = 200
"""Of how many runs, the newest, a short id is known."""
LENGTH_OF_AN_ID = 32

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, its first characters, or `latest` for the newest.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.")]


@dataclass(frozen=True)
class Server:
    """A server whose runs are asked for."""

    connection: "Connection"
    stack: Stack
    workers: bool
    """Whether something can be at work: else the server was started to be read from."""

    def run_id(self, run: str) -> str:
        """Return the id of a run that a person named; InputError when several begin so."""
        from lib.runs.listing import read_runs

        if run == LATEST or len(run.replace("-", "")) >= LENGTH_OF_AN_ID:
            return run
        newest = self.connection(read_runs, workflows(), limit=MOST_SHORT).items
        found = [each.run_id for each in newest if each.run_id.startswith(run.lower())]
        if len(found) > 1:
            raise InputError(f"Several runs begin with {run}: " + ", ".join(found))
        return found[0] if found else run

    def status(self, run: str) -> RunStatus:
        """Return the status of a run that a person named."""
        from lib.runs.reader import read_status

        return self.connection(read_status, self.run_id(run), workflows())


@contextlib.contextmanager
def serving(*, workers: bool = False) -> Iterator[Server]:
    """Give the running stack, or one for as long as the block lasts: only a server, unless `workers` are wanted.

    Runs whose process died are marked first. A run that there is not is an InputError.
    """
    config = configured()
    with stack(config, say, workers=workers) as running:
        from lib.runs.reader import RunNotFoundError
        from lib.runs.server import connected

        try:
            with connected() as connection:
                yield Server(connection, running, workers=workers or not running.own)
        except RunNotFoundError as error:
            raise InputError(f"{error} `regie runs` lists what there is.") from error
