"""The items of a run, found in a thread of their own within bounded time: a store may be slow, or away."""

import logging
from collections.abc import Mapping, Sequence
from threading import BoundedSemaphore
from typing import Any

from anyio import CapacityLimiter, fail_after, to_thread

from lib.console.problems import ProblemError
from lib.errors import InputError, UnavailableError
from lib.runs.items import Item, items_of
from lib.runs.plan import PlanError, Workflow

SECONDS = 20.0
"""How long somebody waits for items."""
AT_ONCE = 4
"""How many look for items at the same time; a store that hangs keeps its thread."""

logger = logging.getLogger("regie.console")

_free = BoundedSemaphore(AT_ONCE)


async def find_items(
    workflow: Workflow, parameters: Mapping[str, Any], wanted: Sequence[Mapping[str, str]], limit: int
) -> list[Item]:
    """Return the items that are wanted, one question after the other, at most so many.

    Raises what `items_of` does, and ProblemError when that takes too long or is broken.
    """
    if not _free.acquire(blocking=False):
        raise ProblemError(503, "Too many look into the store at the same time. Try again in a moment.")

    def look() -> list[Item]:
        try:
            found: list[Item] = []
            for question in wanted:
                asked = {**question, "limit": str(limit - len(found))}
                found += items_of(workflow, parameters, asked)[: limit - len(found)]
                if len(found) >= limit:
                    break
            return found
        finally:
            _free.release()

    try:
        with fail_after(SECONDS):
            # A limiter of its own: the thread begins at once, and gives its place back itself.
            return await to_thread.run_sync(look, abandon_on_cancel=True, limiter=CapacityLimiter(1))
    except TimeoutError as error:
        raise ProblemError(504, f"No answer came within {SECONDS:.0f} s. Try again in a moment.") from error
    except (InputError, UnavailableError, PlanError):
        raise
    except Exception as error:
        logger.exception("The items of %s cannot be looked at", workflow.key)
        raise ProblemError(502, "What is there cannot be read. The console's log says why.") from error
