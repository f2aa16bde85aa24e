"""The kinds of views that the console has a page for, at the address and on the topic of that name."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from lib.console import offers
from lib.console.context import Console
from lib.runs.changes import Row
from lib.runs.status import RunStatus


class View(Protocol):
    """What a page of a view shows."""

    @property
    def status(self) -> RunStatus | None:
        """Of the newest run; None when there is none."""

    def rows(self) -> Mapping[str, Row]:
        """Return the view as rows to be told live."""


READ: Mapping[str, Callable[[Console], Awaitable[View]]] = {offers.KIND: offers.read_offers}
"""What reads a view, by its kind; it raises ProblemError when no workflow here has such."""


def views(console: Console) -> list[str]:
    """Return the kinds of views that the workflows have here."""
    return [kind for kind in READ if any(each.view == kind for each in console.workflows.values())]
