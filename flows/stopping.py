"""How the flow of a run or of a phase ends in order when it is asked to stop, wherever it works."""

import contextlib
import contextvars
import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any
from uuid import UUID

from prefect import State
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled, Crashed

SECONDS_BETWEEN_LOOKS = 1.0
"""How often a flow's process looks whether its run is asked to stop."""
SECONDS_BETWEEN_REQUESTS = 0.2
SECONDS_TO_END = 3.0
"""How long the work of a phase may take to end once it is asked to: one that does not listen is ended with its process.
An orchestrator is given twice as long, for it waits for its phases."""
ASKED = frozenset({StateType.CANCELLING, StateType.CANCELLED})


class Stopped(BaseException):
    """Raised in the middle of the work to end it in order: what it holds is let go of on the way out.

    Like KeyboardInterrupt no Exception, so that no work takes it for a failure of its own.
    """


End = Callable[[], State[Any]]
"""Makes the final state of work that was stopped: a new one each time, for Prefect notes in it whose it is."""


def stopped_as_asked() -> State[Any]:
    """Return the final state of what somebody asked to stop."""
    return Cancelled(message="Stopped as asked")


def told_to_end() -> State[Any]:
    """Return the final state of what ended with its process, when `regie up` is ended say."""
    return Crashed(message="Its process was told to end while it worked")


class Stop:
    """Ends the work of the thread that it is made in, once, when another one asks for it."""

    def __init__(self) -> None:
        self._end: End = stopped_as_asked
        self._thread = threading.get_ident()
        self._main = threading.current_thread() is threading.main_thread()
        self._lock = threading.Lock()
        self._asked = False
        self._listens = False

    def state(self) -> State[Any]:
        """Return the final state of the work that was stopped."""
        return self._end()

    def ask(self, end: End | None = None) -> None:
        """Have the work end with Stopped, once it listens; work that is ending already is left alone.

        Work in the main thread that was about to wait for something may not hear it: it is asked again and again.
        """
        with self._lock:
            first, self._asked = not self._asked, True
            self._end = end or self._end
            if self._listens and self._main:
                # A signal also wakes the thread up from what it waits for.
                signal.pthread_kill(self._thread, signal.SIGTERM)
            elif self._listens and first:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(Stopped))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Let the block be stopped: by `ask`, and in the main thread by SIGTERM, which raises Prefect's own exception.

        Only the first of them is listened to: a second one would end the cleaning up that the first began.
        """
        before = signal.signal(signal.SIGTERM, self._on_signal) if self._main else None
        try:
            with self._lock:
                if self._asked:
                    raise Stopped
                self._listens = True
            yield
        finally:
            with self._lock:
                self._listens = False
            if self._main:
                signal.signal(signal.SIGTERM, before)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._listens:
            self._listens = False
            raise Stopped if self._asked else TerminationSignal(signal=number)


INLINE: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("INLINE", default=None)
"""In the thread of a phase in the orchestrator's own process: how that one stops it. The phase itself need not look."""


def own_run() -> UUID:
    """Return the id of the flow run that this is called in."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("This is called inside a flow run")
    return context.flow_run.id


def own_attempt() -> int:
    """Return which attempt this is of the flow run that this is called in: 1 unless it was resumed."""
    context = FlowRunContext.get()
    return max(context.flow_run.run_count, 1) if context and context.flow_run else 1


def is_asked_to_stop(client: SyncPrefectClient, run_id: UUID) -> bool:
    """Whether somebody asked a flow run to stop; False when the server cannot say."""
    with contextlib.suppress(Exception):
        state = client.read_flow_run(run_id).state
        return state is not None and state.type in ASKED
    return False


@contextlib.contextmanager
def stoppable(stop: Stop, patience: float) -> Iterator[None]:
    """Let the block, the work of this flow run, end with Stopped soon after its run is asked to stop.

    `patience` is how many seconds it may then take before its process is ended, if that was started for this run alone.
    """
    if stop is INLINE.get():
        with stop.listening():
            yield
        return
    done = threading.Event()
    # In the context of the run, so that the settings of its client are found.
    look = contextvars.copy_context().run
    threading.Thread(target=look, args=(_look, own_run(), stop, done, patience), daemon=True).start()
    try:
        with stop.listening():
            yield
    finally:
        done.set()


def _look(run_id: UUID, stop: Stop, done: threading.Event, patience: float) -> None:
    """Look whether a run is asked to stop, until it is or its work is done."""
    with get_client(sync_client=True) as client:
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            if is_asked_to_stop(client, run_id):
                break
        deadline = time.monotonic() + patience
        while not done.is_set() and time.monotonic() < deadline:
            stop.ask()
            done.wait(SECONDS_BETWEEN_REQUESTS)
        if not done.is_set() and os.environ.get("PREFECT__FLOW_RUN_ID") == str(run_id):
            with contextlib.suppress(Exception):
                client.set_flow_run_state(run_id, Cancelled(message="Ended: it did not stop in time"), force=True)
            os._exit(1)
