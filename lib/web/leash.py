"""How far the fetching of one page may go."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lib.web.network import Check
from lib.web.outcomes import Unavailable


class Leash:
    """How far one page may go: seconds of transfer and bytes on the wire, over all its redirects."""

    def __init__(self, seconds: float, wanted: Check) -> None:
        self.seconds = seconds
        self.left = seconds
        self.wanted = wanted
        """Raises Stopped when nobody wants the page any more."""
        self.bytes = 0
        """Of headers, so far; −1 once they are there."""
        self._until = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let time count within the block."""
        self._until = time.monotonic() + self.left
        token = current.set(self)
        try:
            yield
        finally:
            current.reset(token)
            self.left = self._until - time.monotonic()

    def check(self) -> None:
        """Raise Stopped or Unavailable when it is over."""
        self.wanted()
        if time.monotonic() > self._until:
            raise Unavailable(f"the page did not come within {self.seconds:g} s", passing=True)


# Connections are shared between pages; whichever reads from one is held by its own leash.
current: ContextVar[Leash] = ContextVar("leash")
