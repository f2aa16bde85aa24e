"""Runs whose process died without a word are shown as crashed, those of a machine that is gone are taken up by others.

Looked for again and again, and when a stack starts.
"""

import contextlib
import itertools
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid5

import httpx
import psutil
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter, TaskRunFilterId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Cancelled, Crashed, Scheduled

from deployments.hosts import Hosts
from deployments.pools import pool_name
from flows.limits import lease_of
from lib import containers
from lib.errors import UnavailableError
from lib.runs.plan import environments_of
from lib.runs.process import host_name, host_of, which_here
from lib.workflows import workflows

SECONDS_BETWEEN_LOOKS = 3.0
PATIENCE = timedelta(seconds=5)
"""How long a state is left alone: what says where a run's process is may be written a moment after it."""
LONG = timedelta(seconds=60)
"""How long a run may wait for a worker that took it and never said which one it is."""
CLOCKS = timedelta(seconds=10)
"""How far the clock of the server and the start of a process, as the kernel tells it, may be apart."""
PAGE = 200
MOST_ATTEMPTS = 5
"""How often a run is begun before it is left crashed when its machine is lost: it may be what kills them."""
WORKER = "prefect.worker.name"
"""The label by which Prefect notes who took a run."""
_TOLD = {"type", "name", "message", "state_details"}
"""What Prefect's API is told of a new state."""
_DIED = "Its process ended without a word: it was killed, or its machine went down"
_LEFT = "The process of its run ended"
_UNTAKEN = "Its worker ended before it had begun"
_LOST = "Its machine is gone"
_LOST_FOR_GOOD = f"{_LOST}, and no other one can take it up: it was started in a process of its own there"
_LOST_TOO_OFTEN = f"{_LOST}, and it was begun {MOST_ATTEMPTS} times or more: it is not taken up once again"

Alive = Callable[[int | str, datetime], bool]
"""Whether a process of this machine can have worked at a time by its id, or a container by its name."""
Lost = Callable[[str], bool]
"""Whether a machine of this name is gone."""

logger = logging.getLogger(__name__)


def is_alive(which: int | str, since: datetime, running: Callable[[], Collection[str]] = containers.running) -> bool:
    """Whether there is a process of this id that can have worked at this time: not another that got its id later.

    Or whether the container of this name is `running`, each of which has a name of its own; so it is while there is no
    engine to ask.
    """
    if isinstance(which, str):
        try:
            return which in running()
        except UnavailableError:
            return True
    try:
        process = psutil.Process(which)
        begun = datetime.fromtimestamp(process.create_time(), UTC)
        return process.status() != psutil.STATUS_ZOMBIE and begun <= since + CLOCKS
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def nowhere(_host: str) -> bool:
    """Say of every machine that it is there."""
    return False


def judge(
    run: FlowRun, root: FlowRun | None, now: datetime, alive: Alive = is_alive, lost: Lost = nowhere
) -> State[Any] | None:
    """Return the state that a run is in by its processes, where Prefect has it otherwise; None when it is all right.

    `root` is the run that it is a phase of. A run is judged by what is known to be gone: never one of another machine
    that is there, nor one whose process lives, however long it is silent. One that was lost with its machine is to be
    begun again, unless somebody asked it to stop.
    """
    state = run.state
    if state is None or state.is_final() or now - state.timestamp < PATIENCE:
        return None
    if state.type in {StateType.SCHEDULED, StateType.PENDING} and run.deployment_id is not None:
        return _judge_waiting(run, root, now, alive, lost)
    place = run.infrastructure_pid
    if _is_gone(place, state.timestamp, alive, lost):
        return _taken_up(run, root) if lost(host_of(place)) else _ended(run, _DIED)
    if which_here(place) is not None:
        return None
    if run.deployment_id is None and root is not None and root.state is not None:
        # It worked in the process of its run, and in the same attempt at it.
        begun_again = root.state.is_running() and state.timestamp < root.state.timestamp
        went = lost(host_of(root.infrastructure_pid)) and _is_gone(
            root.infrastructure_pid, root.state.timestamp, alive, lost
        )
        if root.state.is_final() or begun_again or went:
            return _ended(root if root.state.is_cancelled() else run, _LEFT)
    elif state.is_cancelling() and _is_untaken(run, state, now, alive, lost):
        return _ended(run, _UNTAKEN)
    return None


def _judge_waiting(run: FlowRun, root: FlowRun | None, now: datetime, alive: Alive, lost: Lost) -> State[Any] | None:
    """Judge what waits for a worker, or was taken by one that has not begun it."""
    assert run.state is not None
    if root is not None and root.state is not None and root.state.is_final():
        taken = run.state.is_pending() and not _is_untaken(run, run.state, now, alive, lost)
        return None if taken else _ended(root, _LEFT)
    if run.state.is_pending() and _is_untaken(run, run.state, now, alive, lost):
        return Scheduled(message=_UNTAKEN)
    return None


def _is_untaken(run: FlowRun, state: State[Any], now: datetime, alive: Alive, lost: Lost) -> bool:
    """Whether the worker that took a run is gone: workers are named after their process."""
    worker = run.labels.get(WORKER)
    if worker is None:
        return now - state.timestamp > LONG
    return _is_gone(str(worker), state.timestamp, alive, lost)


def _is_gone(place: str | None, since: datetime, alive: Alive, lost: Lost) -> bool:
    """Whether what was at a place is known to be gone: by itself if it is of this machine, else with its machine."""
    which = which_here(place)
    return not alive(which, since) if which is not None else lost(host_of(place))


def _taken_up(run: FlowRun, root: FlowRun | None) -> State[Any]:
    """Return the state of what was lost with its machine."""
    assert run.state is not None
    if run.state.is_cancelling():
        return _ended(run, _LOST)
    if root is not None and root.state is not None and root.state.is_final():
        return _ended(root, _LEFT)
    if run.deployment_id is None:
        return Crashed(message=_LOST_FOR_GOOD)
    if run.run_count >= MOST_ATTEMPTS:
        return Crashed(message=_LOST_TOO_OFTEN)
    return Scheduled(message=f"{_LOST}: another one takes it up")


def _ended(run: FlowRun, words: str) -> State[Any]:
    stopped = run.state is not None and (run.state.is_cancelling() or run.state.is_cancelled())
    return Cancelled(message=words) if stopped else Crashed(message=words)


class Watch:
    """Looks after the runs of the server that PREFECT_API_URL names."""

    def __init__(self, hosts: Hosts | None = None) -> None:
        self._hosts = hosts
        self._suspected: set[tuple[UUID, UUID]] | None = None
        """Runs, each with the state that it was found in: in the next attempt at it, it is another one."""

    def look(self, client: SyncPrefectClient) -> list[FlowRun]:
        """Set the state of every run that is in another one by its processes, and return these.

        A run is left until the second look, for its worker knows better how it ended; at the first there is none yet.
        Of several machines that find the same, one sets it.
        """
        found: dict[tuple[UUID, UUID], tuple[FlowRun, State[Any]]] = {}
        runs = _unfinished(client)
        roots = _roots(client, runs)
        lost = self._listen(client, runs)
        alive = partial(is_alive, running=cache(containers.running))  # as they are after the runs were read
        now = datetime.now(UTC)
        for run in runs:
            state = judge(run, roots.get(run.id), now, alive, lost)
            if state is not None and run.state is not None:
                found[run.id, run.state.id] = (run, state)
        certain = {seen: each for seen, each in found.items() if self._suspected is None or seen in self._suspected}
        # Phases first: whoever sees that a run has ended may resume it.
        in_order = sorted(certain.values(), key=lambda each: each[0].parent_task_run_id is None)
        done = [run for run, state in in_order if _set(client, run, state)]
        for lease in filter(None, map(lease_of, done)):
            with contextlib.suppress(httpx.HTTPError):  # it runs out by itself
                client.release_concurrency_slots_with_lease(lease)
        self._suspected = found.keys() - certain.keys()
        return done

    def _listen(self, client: SyncPrefectClient, runs: Sequence[FlowRun]) -> Lost:
        """Listen for other machines, if any of these runs is on one, and return what tells whether one is gone."""
        if self._hosts is None:
            return nowhere
        places = [each for run in runs for each in (run.infrastructure_pid, str(run.labels.get(WORKER, "")))]
        others = {host_of(place) for place in places} - {"", host_name()}
        environments = environments_of(workflows().values()) if others else ()
        self._hosts.listen(client, map(pool_name, environments))
        return self._hosts.is_lost


def _set(client: SyncPrefectClient, run: FlowRun, state: State[Any]) -> bool:
    """Set the state of a run that is still as it was judged, and say whether that was so."""
    assert run.state is not None
    # Of two that set it at the same moment, the second is refused: for both it is the same transition.
    state.state_details.transition_id = uuid5(run.id, str(run.state.id))
    wanted = {"id": {"any_": [str(run.id)]}, "state": {"type": {"any_": [run.state.type.value]}}}
    body = {"flow_runs": wanted, "state": state.model_dump(mode="json", include=_TOLD)}
    answer = client.request("POST", "/flow_runs/bulk_set_state", json=body)  # type: ignore[arg-type]
    return any(result["status"] == "ACCEPT" for result in answer.json()["results"])


@contextlib.contextmanager
def watching(hosts: Hosts | None = None) -> Iterator[None]:
    """Look after runs until the block is left, the first time before it begins; a server in trouble is asked later."""
    done = threading.Event()
    watch = Watch(hosts)
    trouble = ""

    def look() -> None:
        nonlocal trouble
        before, trouble = trouble, _trouble_of(watch)
        if trouble and not before and not done.is_set():
            logger.warning("Whether runs are alive cannot be told at present, and is tried again: %s", trouble)

    def look_on() -> None:
        while not done.wait(SECONDS_BETWEEN_LOOKS):
            look()

    look()
    threading.Thread(target=look_on, name="watch", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _trouble_of(watch: Watch) -> str:
    """Look once, and return what went wrong in words."""
    try:
        with get_client(sync_client=True) as client:
            watch.look(client)
    except Exception as error:  # noqa: BLE001  # whatever it is, runs are looked after again in a moment
        return f"{type(error).__name__}: {error}"
    return ""


def _unfinished(client: SyncPrefectClient) -> list[FlowRun]:
    """Return the flow runs that somebody works on or should: not those that wait for their time to be started."""
    taken = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    waiting = {"state": {"type": {"any_": ["SCHEDULED"]}}, "parent_task_run_id": {"is_null_": False}}
    runs: list[FlowRun] = []
    for chosen in (taken, waiting):
        wanted = FlowRunFilter.model_validate(chosen)
        for offset in itertools.count(step=PAGE):
            page = client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=offset)
            runs += page
            if len(page) < PAGE:
                break
    return runs


def _roots(client: SyncPrefectClient, runs: Sequence[FlowRun]) -> Mapping[UUID, FlowRun]:
    """Return the run that each of these is a phase of, by its id."""
    links = {run.id: run.parent_task_run_id for run in runs if run.parent_task_run_id is not None}
    parents: dict[UUID, UUID | None] = {}
    for part in _pages(set(links.values())):
        wanted = TaskRunFilter(id=TaskRunFilterId(any_=part))
        found = client.read_task_runs(task_run_filter=wanted, limit=PAGE)
        parents |= {link.id: link.flow_run_id for link in found}
    known: dict[UUID, FlowRun] = {}
    for part in _pages({parent for parent in parents.values() if parent is not None}):
        roots = FlowRunFilter.model_validate({"id": {"any_": part}})
        known |= {run.id: run for run in client.read_flow_runs(flow_run_filter=roots, limit=PAGE)}
    return {
        run_id: known[parent]
        for run_id, link in links.items()
        if (parent := parents.get(link)) is not None and parent in known
    }


def _pages(ids: Collection[UUID]) -> Iterator[list[UUID]]:
    rest = iter(ids)
    while part := list(itertools.islice(rest, PAGE)):
        yield part
