"""How often a host is asked: few requests at once, a pause between them, and longer ones when it is slow or busy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lib.web.clock import Clock
from lib.web.network import SLICE, Check
from lib.web.options import WebOptions
from lib.web.outcomes import Unavailable

BUSY = frozenset({429, 503})
FAILURES = 10
"""Requests in a row without a proper answer after which a host is left alone."""
REST = 300.0
"""Seconds for which it is then left alone."""
MOST_HOSTS = 1000
LONGEST = 86_400.0


@dataclass
class _Host:
    running: int = 0
    following: float = 0
    """When the next request may start."""
    delay: float = 0
    alone: float = 0
    """Until when the host is left alone."""
    failures: int = 0
    status: int | None = None


class Pace:
    """Turns at hosts; used by any number of threads."""

    def __init__(self, options: WebOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, name: str, crawl_delay: float, check: Check) -> Iterator[None]:
        """Wait for a turn at a host and hold it; raises Unavailable when the host is to be left alone for longer."""
        host = self._enter(name, check)
        try:
            self._wait(name, host, crawl_delay, check)
            yield
        finally:
            with self._changed:
                host.running -= 1
                self._changed.notify_all()

    def answered(self, name: str, status: int | None, seconds: float, after: float | None) -> None:
        """Learn from how a host answered: its status (None: it did not), how long it took, how long it wants rest."""
        options = self._options
        with self._changed:
            host = self._hosts.setdefault(name, _Host())
            host.status = status
            now = self._clock.now()
            if status in BUSY:
                host.delay = min(options.delay_most, max(2 * host.delay, 1))
            else:
                # As long as one of the requests at a time takes, so that the host is never asked for all it has; at
                # once when it gets slower, by halves when it gets faster.
                target = seconds / options.host_requests
                host.delay = min(options.delay_most, max(target, (host.delay + target) / 2))
            if after:
                host.alone = max(host.alone, now + min(after, LONGEST))
            host.failures = host.failures + 1 if status is None or status >= 500 else 0
            if host.failures >= FAILURES:
                host.failures = 0
                host.alone = max(host.alone, now + REST)

    def delay(self, name: str) -> float:
        """Return the seconds that now lie between two requests to a host, `Crawl-delay` aside."""
        with self._changed:
            host = self._hosts.get(name)
            return max(self._options.delay, host.delay if host else 0)

    def _enter(self, name: str, check: Check) -> _Host:
        with self._changed:
            self._forget()
            host = self._hosts.setdefault(name, _Host())
            while host.running >= self._options.host_requests:
                check()
                self._changed.wait(SLICE)
            host.running += 1
            return host

    def _wait(self, name: str, host: _Host, crawl_delay: float, check: Check) -> None:
        with self._changed:
            begin = max(self._clock.now(), host.following)
            host.following = begin + max(self._options.delay, host.delay, crawl_delay)
        while True:
            with self._changed:
                now = self._clock.now()
                left = host.alone - now
                if left > self._options.retry_after_most:
                    words = f"{name} is left alone for another {left:.0f} s: it asked for that, or answered nothing"
                    raise Unavailable(words, passing=True, status=host.status, after=left)
                begin = max(begin, host.alone)
            if begin - now <= 0.001:
                return
            self._clock.pause(begin - now, check)

    def _forget(self) -> None:
        """Drop hosts of which nothing is remembered that still matters, when there are many."""
        if len(self._hosts) > MOST_HOSTS:
            now = self._clock.now()
            idle = [
                name for name, host in self._hosts.items() if not host.running and max(host.following, host.alone) < now
            ]
            for name in idle:
                del self._hosts[name]
