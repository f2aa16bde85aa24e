"""A service asked no more often than it takes, by all threads of a process together."""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

SLICE = 0.2
"""Seconds of a wait that are slept at a time: a thread that sleeps does not feel that its run is stopped."""


class Throttle:
    """Lets requests through, at most `rate` in any span of `seconds`: `with throttle: ask()`.

    A request counts until `seconds` after its answer, so that however long requests travel, no more than `rate` of them
    arrive within such a span. Other processes that ask the same service count for it too, and are not seen here.
    """

    def __init__(
        self,
        rate: int,
        seconds: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = rate
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._under_way = 0
        self._free_at: deque[float] = deque()
        """When each of the requests that were answered counts no longer."""
        self._paused_until = clock()

    def __enter__(self) -> Self:
        while (wait := self._wait()) > 0:
            self._sleep(min(wait, SLICE))
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._under_way -= 1
            self._free_at.append(self._clock() + self._seconds)

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long: the service asked for it, or is out of order."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _wait(self) -> float:
        """Return how long to wait before asking again; 0 when a request is let through, which then counts."""
        with self._lock:
            now = self._clock()
            if now < self._paused_until:
                return self._paused_until - now
            while self._free_at and self._free_at[0] <= now:
                self._free_at.popleft()
            if self._under_way + len(self._free_at) < self._rate:
                self._under_way += 1
                return 0
            # Where all are under way, nobody knows when the first is answered.
            return self._free_at[0] - now if self._free_at else self._seconds / self._rate


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number or a date (RFC 9110 10.2.3); None otherwise."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
