"""How long work tells its caller how far it is: a callback, never a global."""

from typing import Protocol


class Progress(Protocol):
    """Called by long work each time it has moved on.

    Called as often as is convenient (every frame is fine): the receiver throttles. It may raise to stop the work, which
    must then leave no temporary file behind.
    """

    def __call__(self, done: int, total: int, item: str = "") -> None:
        """Say that `done` of `total` units (frames, files, bytes) are done; `item` names the current one."""


def silent(done: int, total: int, item: str = "") -> None:
    """Ignore progress."""
