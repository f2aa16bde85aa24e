"""What the phases of `offers` have in common: items are counted and named as they end."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefect import State
from prefect.logging import get_run_logger

from flows.offers.desk import Desk
from flows.orchestration import conclude
from lib.runs.report import Item, ItemState, PhaseReport
from tasks.progress import PhaseProgress

Ended = Callable[[str, Item], None]


@contextmanager
def items(phase: str, opened: Desk, names: Mapping[str, str]) -> Iterator[Ended]:
    """Give what is told the id of each item and what became of it; `names` are those of all, by their ids.

    It is shown as progress of the phase, remembered at the desk, and a failure is in the log.
    """
    logger, begun = get_run_logger(), time.monotonic()
    remembered = opened.items.setdefault(phase, [])
    unique = _unique(names)

    with PhaseProgress(dict.fromkeys(unique.values(), 1.0)) as progress:

        def ended(key: str, item: Item) -> None:
            named = item.model_copy(update={"subject": unique[key], "seconds": time.monotonic() - begun})
            remembered.append(named)
            progress.ended(named)
            if named.state is ItemState.FAILED:
                logger.warning("%s: %s", named.subject, named.reason)

        yield ended


def concluded(phase: str, opened: Desk) -> State[Any]:
    """Return the final state of a phase from the items that were remembered."""
    return conclude(PhaseReport(phase=phase, items=tuple(opened.items.get(phase, ()))))


def _unique(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names, a number added to those that another one has."""
    taken: dict[str, int] = {}
    unique: dict[str, str] = {}
    for key, name in names.items():
        taken[name] = taken.get(name, 0) + 1
        unique[key] = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return unique
