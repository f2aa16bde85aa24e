"""Which machines are gone: told by the heartbeats of their workers, as this machine hears them."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import Worker
from prefect.exceptions import ObjectNotFound

from lib.runs.process import host_name, host_of

MISSED = 3
"""Heartbeats that a machine must have missed, by the interval that it names, whatever time was set here."""
PAGE = 200

Clock = Callable[[], float]


class Hosts:
    """What this machine has heard of the others; `patience` is the seconds without a heartbeat after which one is lost.

    A machine is silent for as long as this one heard nothing new of it, by this one's own clock: nobody's clock is
    compared with another's. Of the time in which the server did not answer little counts: when it is back, machines are
    given the time to be heard again.

    With `returning`, this machine counts as lost itself for a while after it began, and after it was cut off from the
    server: processes that it had before are gone as those of a lost machine are.
    """

    def __init__(self, patience: float, *, returning: bool = False, clock: Clock = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._heard: dict[str, _Heard] = {}
        self._last: float | None = None
        self._returned = clock() if returning else None
        self._returning = returning

    def listen(self, client: SyncPrefectClient, pools: Iterable[str]) -> None:
        """Note the heartbeats of the workers of these work pools, without any only that the server answers."""
        workers: list[Worker] = []
        for pool in pools:
            with contextlib.suppress(ObjectNotFound):
                workers += client.read_workers_for_work_pool(pool, limit=PAGE)
        self.note(workers)

    def note(self, workers: Collection[Worker]) -> None:
        """Note what the server tells of workers, now that it answers."""
        now = self._clock()
        deaf = now - self._last if self._last is not None else 0.0
        self._last = now
        if deaf > self._patience / 2 and self._returning:
            self._returned = now
        for heard in self._heard.values():
            heard.silent += min(deaf, self._patience / 4)
        for worker in workers:
            host, beat = host_of(worker.name), worker.last_heartbeat_time
            known = self._heard.get(host)
            if beat is not None and (known is None or beat > known.beat):
                self._heard[host] = _Heard(beat, worker.heartbeat_interval_seconds or 0)

    def is_lost(self, host: str) -> bool:
        """Whether a machine is gone; one of which nothing was ever heard may have no workers."""
        if host == host_name():
            return self._returned is not None and self._clock() - self._returned < self._patience
        heard = self._heard.get(host)
        return heard is not None and heard.silent > max(self._patience, MISSED * heard.interval)


@dataclass
class _Heard:
    """The last heartbeat of a machine."""

    beat: datetime
    """When it was, by the server's clock."""
    interval: int
    """Seconds between two of them, as the machine says."""
    silent: float = 0.0
    """Seconds since it was heard here."""
