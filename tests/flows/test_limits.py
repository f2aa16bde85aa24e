"""Heavy phases wait for a place, say so, can be stopped meanwhile, and leave it however they end."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import State
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from flows import limits
from flows.limits import LABEL, LEASE_SECONDS, lease_of, needed
from lib.environments import ENVIRONMENTS
from lib.runs.control import cancel_run
from lib.runs.reader import read_children, run_status
from lib.runs.status import RunStatus
from lib.settings import Limits, Settings

SECONDS_TO_STOP = 5.0
NAME = "regie-scenes"


@pytest.fixture(scope="module", autouse=True)
def _server(prefect_server: None) -> None:
    """Every test here runs on a real server."""


@pytest.fixture(scope="module")
def toys(toy_folder: str) -> Any:
    import regie_toy

    return regie_toy


@pytest.fixture
def client() -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def taken(client: SyncPrefectClient) -> Iterator[Callable[[], None]]:
    """Hold the one place of the environment scenes; give what lets go of it."""
    answer = client.increment_concurrency_slots_with_lease([NAME], 1, "concurrency", LEASE_SECONDS)

    def let_go() -> None:
        client.release_concurrency_slots_with_lease(UUID(answer.json()["lease_id"]))

    yield let_go
    let_go()


def places_taken(client: SyncPrefectClient) -> int:
    return client.read_global_concurrency_limit_by_name(NAME).active_slots


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)
    return value


class Run:
    """A run of the toy's last phase, which needs a place, in a thread of its own."""

    def __init__(self, toys: Any, orders: Any = None) -> None:
        from deployments.here import begin_here

        self._toys = toys
        self.run_id = begin_here(toys.TOY, {"source": "box", "orders": orders, "only": [5], "inline": True})

    def carry_out(self) -> State[Any]:
        from prefect.flow_engine import run_flow_sync

        with get_client(sync_client=True) as client:
            run = client.read_flow_run(UUID(self.run_id))
        parameters = self._toys.toy.validate_parameters(run.parameters)
        state = run_flow_sync(self._toys.toy, flow_run=run, parameters=parameters, return_type="state")
        assert isinstance(state, State)
        return state

    @property
    def status(self) -> RunStatus:
        return run_status(self.run_id, {"toy": self._toys.TOY})

    def waits(self) -> bool:
        return "waits until another phase of scenes has ended" in self.status.phases[4].item


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def test_a_phase_waits_until_another_one_has_ended_and_says_so(
    toys: Any, client: SyncPrefectClient, taken: Callable[[], None], threads: ThreadPoolExecutor
) -> None:
    run = Run(toys)
    ended = threads.submit(run.carry_out)
    until(run.waits)
    assert run.status.phases[4].state == "running"
    taken()
    assert ended.result(60).is_completed()
    assert run.status.phases[4].item == ""
    assert places_taken(client) == 0


def test_a_run_that_waits_is_stopped_as_fast_as_one_that_works(
    toys: Any, client: SyncPrefectClient, taken: Callable[[], None], threads: ThreadPoolExecutor
) -> None:
    run = Run(toys)
    ended = threads.submit(run.carry_out)
    until(run.waits)
    asked = time.monotonic()
    assert cancel_run(run.run_id)
    assert ended.result(60).is_cancelled()
    assert time.monotonic() - asked < SECONDS_TO_STOP
    assert run.status.phases[4].state == "cancelled"
    taken()
    assert places_taken(client) == 0


@pytest.mark.parametrize("order", ["fail", "raise"])
def test_a_phase_that_fails_leaves_its_place(toys: Any, client: SyncPrefectClient, order: str) -> None:
    state = Run(toys, {"phases": {"last": order}}).carry_out()
    assert state.is_failed()
    assert places_taken(client) == 0


def test_the_place_of_a_phase_that_is_gone_is_freed_by_whoever_knows_it(
    toys: Any, client: SyncPrefectClient, threads: ThreadPoolExecutor, tmp_path: Path
) -> None:
    run = Run(toys, {"phases": {"last": "hold"}, "folder": str(tmp_path)})
    ended = threads.submit(run.carry_out)
    until(lambda: places_taken(client) == 1 and (tmp_path / "last.one").exists())
    [child] = read_children(client, UUID(run.run_id))
    lease = lease_of(child)
    assert lease is not None
    for _ in range(2):
        client.release_concurrency_slots_with_lease(lease)
        assert places_taken(client) == 0, "it is freed once"
    (tmp_path / "last.go").touch()
    assert ended.result(60).is_completed()
    assert places_taken(client) == 0


def test_without_the_limit_a_phase_fails_and_says_what_makes_it(toys: Any, client: SyncPrefectClient) -> None:
    client.delete_global_concurrency_limit_by_name(NAME)
    try:
        run = Run(toys)
        assert run.carry_out().is_failed()
        assert run.status.phases[4].error.startswith("The server has no limit regie-scenes")
        assert "`regie deploy` makes it" in run.status.phases[4].error
    finally:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=NAME, limit=1))


def test_a_lease_is_renewed_while_the_phase_works(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, toys: Any, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    renewed: list[UUID] = []
    monkeypatch.setattr(limits, "SECONDS_BETWEEN_RENEWALS", 0.05)
    real = SyncPrefectClient.renew_concurrency_lease

    def renew(self: SyncPrefectClient, lease_id: UUID, lease_duration: float) -> Any:
        renewed.append(lease_id)
        return real(self, lease_id, lease_duration)

    monkeypatch.setattr(SyncPrefectClient, "renew_concurrency_lease", renew)
    run = Run(toys, {"phases": {"last": "hold"}, "folder": str(tmp_path)})
    ended = threads.submit(run.carry_out)
    until(lambda: len(renewed) > 2)
    [child] = read_children(client, UUID(run.run_id))
    assert {str(lease) for lease in renewed} == {child.labels[LABEL]}
    (tmp_path / "last.go").touch()
    assert ended.result(60).is_completed()


def test_a_phase_takes_the_place_of_its_environment_and_one_of_the_gpu_where_there_is_one(tmp_path: Path) -> None:
    there, away = (tmp_path,), (tmp_path / "none",)
    assert needed("base", there) == []
    assert needed("scenes", away) == ["regie-scenes"]
    assert needed("scenes", there) == ["regie-scenes", "regie-gpu"]
    assert needed("audio", there) == ["regie-audio", "regie-gpu"]
    assert needed("tracking", there) == ["regie-tracking"]
    assert {name for key in ENVIRONMENTS for name in needed(key, there)} == limits.limits(Settings()).keys()
    assert Limits.model_fields.keys() - ENVIRONMENTS.keys() == {limits.GPU}
