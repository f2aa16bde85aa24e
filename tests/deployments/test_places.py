"""Places of heavy phases and runs by a schedule, on a real stack."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from regie_toy_holder import Holder, cleaned, processes_of, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by their environment")

LIMIT = "regie-scenes"
EVERY = 4
"""Seconds from one scheduled run to the next."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine") / "home"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the scheduled runs note what they do."""
    return tmp_path_factory.mktemp("box")


@pytest.fixture(scope="module")
def up(home: Path, box: Path) -> Iterator[Holder]:
    """A stack whose toy has a schedule, which is off."""
    parameters = {"source": "box", "only": [1], "orders": {"phases": {"start": "hold"}, "folder": str(box)}}
    schedules = {"toy": {"interval": EVERY, "parameters": parameters}}
    variables = {
        "REGIE_SCHEDULES": json.dumps(schedules),
        # How often the server looks for schedules that were switched on.
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
    }
    with cleaned(home), Holder(home, **variables) as holder:
        holder.hear("own")
        yield holder
        holder.leave()
        assert processes_of(home) == []


@pytest.fixture(scope="module")
def server(home: Path, up: Holder) -> Iterator[httpx.Client]:
    url = json.loads((home / "run" / "stack.json").read_text())["api_url"]
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def places_taken(server: httpx.Client) -> int:
    return int(server.get(f"/v2/concurrency_limits/{LIMIT}").json()["active_slots"])


def test_a_phase_that_is_killed_leaves_its_place_at_once(up: Holder, server: httpx.Client, tmp_path: Path) -> None:
    up.order(only=[5], wait=False, folder=str(tmp_path), last="hold")
    until((tmp_path / "last.one").exists)
    assert places_taken(server) == 1
    process = int((tmp_path / "last.begun").read_text().split()[0])
    os.kill(process, signal.SIGKILL)
    until(lambda: places_taken(server) == 0, seconds=30)
    assert up.order(only=[5])["state"] == "completed"


@pytest.mark.long
def test_a_place_that_nobody_renews_is_freed_by_the_server(home: Path, up: Holder, server: httpx.Client) -> None:
    body = {"names": [LIMIT], "slots": 1, "lease_duration": 60}
    lease = server.post("/v2/concurrency_limits/increment-with-lease", json=body).json()["lease_id"]
    assert places_taken(server) == 1
    # Instead of waiting a minute: the lease is on the disk, where it outlives the server.
    leases = home / "prefect" / "concurrency_leases"
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    note = json.loads((leases / f"{lease}.json").read_text())
    (leases / f"{lease}.json").write_text(json.dumps({**note, "expiration": past}))
    times = json.loads((leases / "expirations.json").read_text())
    (leases / "expirations.json").write_text(json.dumps({**times, lease: past}))
    until(lambda: places_taken(server) == 0, seconds=60)


def scheduled_runs(server: httpx.Client, kind: str) -> list[dict[str, Any]]:
    found = server.get("/deployments/name/toy/scheduled").json()
    wanted = {"deployment_id": {"any_": [found["id"]]}, "state": {"type": {"any_": [kind]}}}
    runs: list[dict[str, Any]] = server.post(
        "/flow_runs/filter", json={"flow_runs": {**wanted}, "sort": "START_TIME_DESC"}
    ).json()
    return runs


def switch(server: httpx.Client, active: bool) -> None:
    """Switch the schedule on or off, as Prefect's page does."""
    found = server.get("/deployments/name/toy/scheduled").json()
    [schedule] = found["schedules"]
    assert schedule["active"] is not active
    place = f"/deployments/{found['id']}/schedules/{schedule['id']}"
    # A server under load says for a moment that its database is busy.
    until(lambda: server.patch(place, json={"active": active}).is_success)


@pytest.mark.long
def test_a_schedule_that_is_switched_on_starts_runs_that_do_not_overlap(
    up: Holder, server: httpx.Client, box: Path
) -> None:
    assert not scheduled_runs(server, "RUNNING"), "it is off at first"
    switch(server, active=True)
    try:
        until((box / "start.one").exists)
        [first] = until(lambda: scheduled_runs(server, "RUNNING"))
        left_out = until(lambda: scheduled_runs(server, "CANCELLED"))
        assert [run["id"] for run in scheduled_runs(server, "RUNNING")] == [first["id"]]
        assert all(run["auto_scheduled"] and run["run_count"] == 0 for run in left_out), "they never began"
        assert len((box / "start.begun").read_text().splitlines()) == 1
        by_hand = up.order(only=[1])
        assert by_hand["state"] == "completed", "runs by hand go on beside it"
        (box / "start.go").touch()
        until(lambda: first["id"] in {run["id"] for run in scheduled_runs(server, "COMPLETED")})
        until(lambda: len((box / "start.begun").read_text().splitlines()) > 1)
    finally:
        switch(server, active=False)
