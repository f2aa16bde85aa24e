"""Time, for all that waits: replaced by tests, which never do."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from lib.web.network import SLICE, Check


@dataclass(frozen=True)
class Clock:
    """Seconds since some moment, and how to let them pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def pause(self, seconds: float, check: Check) -> None:
        """Wait, in slices so that `check` may end it by raising."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0.001:
            check()
            self.sleep(min(left, SLICE))
