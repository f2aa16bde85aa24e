"""Phases 2 and 3: work on offers, several at once, and write what came out as it comes."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from lib.errors import InputError, UnavailableError
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.offers.writing import Writing
from lib.runs.report import Item, ItemState

SECONDS_BETWEEN_LOOKS = 0.2
"""A thread that waits does not hear that it is to stop: it waits this long at a time."""


@dataclass(frozen=True)
class Worked:
    """What became of an offer."""

    offer: Offer
    engine: str = ""
    counts: dict[str, float] = field(default_factory=dict)


def work_on(
    offers: Iterable[Offer],
    work: Callable[[Offer], Worked],
    writing: Writing,
    ended: Callable[[str, Item], None],
    *,
    at_once: int,
) -> None:
    """Work on each offer, `at_once` of them at a time, and have it written as it came out.

    One that fails (InputError, or an error of ours) is written as an error with its reason, and the others go on.
    `ended` is told the record of each and what became of it, once the store has acknowledged it. UnavailableError ends
    the work: what it is about (a service, the store) is needed for all. However it ends, what came out until then is
    written.
    """
    waiting = iter(offers)
    running: dict[Future[Worked], Offer] = {}
    threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="offers")
    try:
        while True:
            for offer in islice(waiting, at_once - len(running)):
                running[threads.submit(work, offer)] = offer
            if not running:
                break
            for call in wait(running, timeout=SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED).done:
                offer = running.pop(call)
                _take(call, offer, writing, ended)
    except BaseException:
        with suppress(UnavailableError):
            for call, offer in running.items():
                if call.done() and not isinstance(call.exception(), UnavailableError):
                    _take(call, offer, writing, ended)
            writing.flush()
        raise
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    writing.flush()


def _take(call: Future[Worked], before: Offer, writing: Writing, ended: Callable[[str, Item], None]) -> None:
    """Have what came out of one offer written."""
    try:
        worked = call.result()
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001  # one offer fails itself, not the others
        reason = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        worked = Worked(replace(before, status=Status.ERROR, note=reason))
    after = replace(worked.offer, record=before.record, link=before.link, key=before.key)
    failed = after.status is Status.ERROR
    item = Item(
        subject=after.name,
        state=ItemState.FAILED if failed else ItemState.DONE,
        engine=worked.engine,
        reason=after.note if failed else "",
        counts=worked.counts,
    )

    def refused(reason: str) -> None:
        item_refused = item.model_copy(update={"state": ItemState.FAILED, "reason": f"The store refuses it: {reason}"})
        ended(before.record, item_refused)

    writing.change(before, after, partial(_stored, ended, item), refused)


def _stored(ended: Callable[[str, Item], None], item: Item, offer: Offer) -> None:
    ended(offer.record, item)
