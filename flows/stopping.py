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
from typing import Any, NoReturn
from uuid import UUID

from prefect import State
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.exceptions import TerminationSignal
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Crashed

from lib.runs.family import TAG
from lib.settings import settings

SECONDS_BETWEEN_LOOKS = 1.0
"""How often a flow's process looks whether its run is asked to stop."""
SECONDS_BETWEEN_REQUESTS = 0.2
SHORTEST_WAIT = 0.5
"""Least seconds that the server is given to answer."""
SECONDS_TO_END = 3.0
"""How long the work of a phase may take to end once it is asked to: one that does not listen is ended with its process.
An orchestrator is given twice as long, for it waits for its phases."""
ASKED = frozenset({StateType.CANCELLING, StateType.CANCELLED})
OWN = frozenset({StateType.RUNNING, StateType.PAUSED})
"""States of a run whose process is to go on with it."""
LEFT_TO_OTHERS = 2 / 3
"""Part of the time after which a machine counts as lost for which a process goes on without the server: it has ended
when another machine takes up its run."""


class Stopped(BaseException):
    """Raised in the middle of the work to end it in order: what it holds is let go of on the way out.

    Like KeyboardInterrupt no Exception, so that no work takes it for a failure of its own.
    """


class Disowned(Stopped):
    """Raised instead when the run is another process's by now, or will be: nothing is to be said of it any more."""


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
        self._raised = Stopped
        self._listens = False

    def state(self) -> State[Any]:
        """Return the final state of the work that was stopped."""
        return self._end()

    def ask(self, end: End | None = None, *, raised: type[Stopped] = Stopped) -> None:
        """Have the work end with `raised`, once it listens; work that is ending already is left alone.

        Work in the main thread that was about to wait for something may not hear it: it is asked again and again.
        """
        with self._lock:
            first, self._asked = not self._asked, True
            self._end = end or self._end
            self._raised = raised
            if self._listens and self._main:
                # A signal also wakes the thread up from what it waits for.
                signal.pthread_kill(self._thread, signal.SIGTERM)
            elif self._listens and first:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(raised))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Let the block be stopped: by `ask`, and in the main thread by SIGTERM, which raises Prefect's own exception.

        In the block this is `own_stop()`.

        Only the first of them is listened to: a second one would end the cleaning up that the first began.
        """
        before = signal.signal(signal.SIGTERM, self._on_signal) if self._main else None
        token = _OWN.set(self)
        try:
            with self._lock:
                if self._asked:
                    raise self._raised
                self._listens = True
            yield
        finally:
            with self._lock:
                self._listens = False
            _OWN.reset(token)
            if self._main:
                signal.signal(signal.SIGTERM, before)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._listens:
            self._listens = False
            raise self._raised if self._asked else TerminationSignal(signal=number)


INLINE: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("INLINE", default=None)
"""In the thread of a phase in the orchestrator's own process: how that one stops it. The phase itself need not look."""

_OWN: contextvars.ContextVar[Stop] = contextvars.ContextVar("_OWN")


def own_stop() -> Stop:
    """Return what ends the work that this is called in, which another thread may ask to."""
    return _OWN.get()


def own_run() -> UUID:
    """Return the id of the flow run that this is called in."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("This is called inside a flow run")
    return context.flow_run.id


def is_alone(run_id: UUID) -> bool:
    """Whether this process was started for a flow run alone: it may end with it."""
    return os.environ.get("PREFECT__FLOW_RUN_ID") == str(run_id)


def own_parent() -> str | None:
    """Return the id of the run that the phase is of that this is called in; None when it is of none."""
    context = FlowRunContext.get()
    tags = context.flow_run.tags if context and context.flow_run else []
    return next((tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)), None)


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


def leave() -> NoReturn:
    """End this process, which was started for a run that is not its own any more, without a word about it."""
    os._exit(0)  # any other code, and its worker would call the run crashed


@contextlib.contextmanager
def stoppable(stop: Stop, patience: float) -> Iterator[None]:
    """Let the block, the work of this flow run, end with Stopped soon after its run is asked to stop.

    `patience` is how many seconds it may then take before its process is ended, if that was started for this run alone.
    Such a process also ends, with Disowned, when its run was given to another one: to that of another machine, after
    this one was cut off from the server.
    """
    if stop is INLINE.get():
        with stop.listening():
            yield
        return
    watch = _Look(own_run(), own_attempt(), stop, patience)
    # In the context of the run, so that the settings of its client are found.
    threading.Thread(target=contextvars.copy_context().run, args=(watch.look,), daemon=True).start()
    try:
        with stop.listening():
            yield
    finally:
        watch.done.set()


class _Look:
    """Looks whether a run is asked to stop, or is not its process's own any more, until it is or its work is done."""

    def __init__(self, run_id: UUID, attempt: int, stop: Stop, patience: float) -> None:
        self.done = threading.Event()
        self._run_id, self._attempt, self._stop, self._patience = run_id, attempt, stop, patience
        self._alone = is_alone(run_id)
        config = settings()
        # A server on the same machine is never out of reach: it is slow, or gone for good.
        self._longest = LEFT_TO_OTHERS * config.host_lost_after if config.server_url and self._alone else None

    def look(self) -> None:
        """Look, and end the work when that is found."""
        with get_client(sync_client=True) as client:
            if (why := self._reason(client)) is None:
                return
            deadline = time.monotonic() + self._patience
            while not self.done.is_set() and time.monotonic() < deadline:
                self._stop.ask(raised=why)
                self.done.wait(SECONDS_BETWEEN_REQUESTS)
            if self.done.is_set() or not self._alone:
                return
            if why is Disowned:
                leave()
            with contextlib.suppress(Exception):
                ended: State[Any] = Cancelled(message="Ended: it did not stop in time")
                client.set_flow_run_state(self._run_id, ended, force=True)
            os._exit(1)

    def _reason(self, client: SyncPrefectClient) -> type[Stopped] | None:
        """Wait for a reason to stop; None when the work was done before there was one."""
        heard = time.monotonic()
        while not self.done.wait(SECONDS_BETWEEN_LOOKS):
            with contextlib.suppress(Exception):
                run = self._read(client, time.monotonic() - heard)
                heard = time.monotonic()
                if run.state is not None and run.state.type in ASKED:
                    return Stopped
                if self._alone and run.state is not None and not self._is_own(run):
                    return Disowned
            if self._longest is not None and time.monotonic() - heard > self._longest:
                return Disowned
        return None

    def _is_own(self, run: FlowRun) -> bool:
        return run.state is not None and run.state.type in OWN and run.run_count <= self._attempt

    def _read(self, client: SyncPrefectClient, silent: float) -> FlowRun:
        """Read the run from a server that did not answer for so many seconds."""
        if self._longest is None:
            return client.read_flow_run(self._run_id)
        # One answer may be late, and one connection lost: it is asked again, all within the time that there is.
        patience = max((self._longest - silent) / 2, SHORTEST_WAIT)
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            answer = client.request("GET", "/flow_runs/{id}", path_params={"id": self._run_id}, timeout=patience)
        return FlowRun.model_validate(answer.json())
