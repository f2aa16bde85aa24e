"""The past of a workflow, read from Prefect's server: what estimates and the history of durations rest on."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from lib.runs.family import observe, read_families
from lib.runs.history import History, at_work, history_of, past_run
from lib.runs.past import PastRun
from lib.runs.plan import Workflow
from lib.runs.server import PAGE, PrefectClient, RunRow, flow_runs

RUNS = 30
"""How many past runs an estimate rests on, at most: the newest tell most about the next."""
REMEMBERED = 256
"""Of how many runs the past is kept in this process."""
_FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

_pasts: OrderedDict[tuple[str, UUID, datetime], Sequence[PastRun]] = OrderedDict()


async def read_past(client: PrefectClient, workflow: Workflow, run: RunRow) -> Sequence[PastRun]:
    """Return the runs of a workflow that ended before this run first started, the newest first.

    Read once per run and process: while one follows a run, what its estimate rests on stays the same. Takes three
    calls: as many runs are read as have their children on one page.
    """
    return (await read_pasts(client, [(workflow, run)]))[run.id]


async def read_pasts(
    client: PrefectClient, runs: Sequence[tuple[Workflow, RunRow]]
) -> Mapping[UUID, Sequence[PastRun]]:
    """Return the past of each of these runs as `read_past` does, in three calls for all those of a workflow.

    A run that started long before the last of them, when nothing that was read had ended yet, takes calls of its own.
    """
    pasts: dict[UUID, Sequence[PastRun]] = {}
    missing: dict[str, list[tuple[Workflow, RunRow]]] = {}
    for workflow, run in runs:
        key = _key(client, run)
        if key in _pasts:
            _pasts.move_to_end(key)
            pasts[run.id] = _pasts[key]
        else:
            missing.setdefault(workflow.key, []).append((workflow, run))
    for group in missing.values():
        pasts |= await _read_together(client, group[0][0], [run for _, run in group])
    return pasts


async def _read_together(
    client: PrefectClient, workflow: Workflow, runs: Sequence[RunRow]
) -> Mapping[UUID, Sequence[PastRun]]:
    limit = max(1, min(RUNS, (PAGE - 1) // len(workflow.phases)))
    ended = await _ended(client, workflow, limit=limit, until=max(map(_start, runs)))
    told = [past for _, past in await _tell(client, workflow, ended)]
    pasts: dict[UUID, Sequence[PastRun]] = {}
    for run in runs:
        past = tuple(each for each in told if each.ended <= _start(run))
        if past or len(ended) < limit or len(runs) == 1:
            pasts[run.id] = _pasts[_key(client, run)] = past
        else:
            pasts |= await _read_together(client, workflow, [run])
    while len(_pasts) > REMEMBERED:
        _pasts.popitem(last=False)
    return pasts


def _key(client: PrefectClient, run: RunRow) -> tuple[str, UUID, datetime]:
    return str(client.api_url), run.id, _start(run)


def _start(run: RunRow) -> datetime:
    return run.start_time or run.created


async def read_history(
    client: PrefectClient,
    workflow: Workflow,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    runs: int = 100,
) -> History:
    """Return how long the phases and the runs of a workflow took, of the newest `runs` that ended, 200 at most."""
    ended = await _ended(client, workflow, limit=max(1, min(runs, PAGE)), since=since, until=until)
    pasts = (await _tell(client, workflow, ended))[::-1]
    whole = [
        (run.end_time - run.start_time).total_seconds()
        for run, past in pasts
        if run.state is not None
        and (run.state.type, run.run_count) == ("COMPLETED", 1)
        and run.start_time is not None
        and run.end_time is not None
        and sum(map(at_work, past.phases.values())) == len(workflow.phases)
    ]
    return history_of(workflow, [past for _, past in pasts], whole)


async def _ended(
    client: PrefectClient, workflow: Workflow, *, limit: int, since: datetime | None = None, until: datetime | None
) -> list[RunRow]:
    """Return the newest runs of a workflow that ended, the newest first."""
    times = {name: time.isoformat() for name, time in (("after_", since), ("before_", until)) if time is not None}
    wanted = {
        "parent_task_run_id": {"is_null_": True},
        "state": {"type": {"any_": _FINAL}},
        "end_time": {"is_null_": False, **times},
    }
    names = {"name": {"any_": [workflow.flow_name()]}}
    return await flow_runs(client, flow_runs=wanted, flows=names, sort="END_TIME_DESC", limit=limit)


async def _tell(client: PrefectClient, workflow: Workflow, ended: Sequence[RunRow]) -> list[tuple[RunRow, PastRun]]:
    """Return those of the runs that tell something about durations, with what they tell."""
    families = await read_families(client, [run.id for run in ended], remember=False)
    told = ((run, past_run(workflow, observe(run, workflow.key), families[run.id])) for run in ended)
    return [(run, past) for run, past in told if past is not None]
