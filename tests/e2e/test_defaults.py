"""Runs that are told nothing, started as Prefect's pages start them: `POST /deployments/{id}/create_flow_run`."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

Regie = Callable[..., Any]
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@pytest.fixture(scope="module")
def home(regie_variables: dict[str, str]) -> Path:
    return Path(regie_variables["REGIE_HOME"])


@pytest.fixture(scope="module")
def server(home: Path, up: None) -> Iterator[httpx.Client]:
    url = json.loads((home / "run" / "stack.json").read_text())["api_url"]
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def start(server: httpx.Client, name: str) -> str:
    """Start a run as *Quick run* does, and return its id."""
    deployment = patiently(lambda: server.get(f"/deployments/name/{name}"))["id"]
    body = {"state": {"type": "SCHEDULED"}}
    return str(patiently(lambda: server.post(f"/deployments/{deployment}/create_flow_run", json=body))["id"])


def patiently(ask: Callable[[], httpx.Response]) -> Any:
    """Return what a server answers that says for a moment, under load, that its database is busy."""
    deadline = time.monotonic() + 60
    while (answer := ask()).status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
        time.sleep(0.5)
    return answer.raise_for_status().json()


def ended(regie: Regie, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run, and return its status."""
    regie("watch", run_id)
    status: dict[str, Any] = regie("status", run_id, "--json").result
    return status


def test_an_empty_inbox_is_said(regie: Regie, server: httpx.Client, home: Path) -> None:
    (home / "inbox").mkdir()
    status = ended(regie, start(server, "video/regie"))
    assert status["state"] == "failed"
    assert f"There is no archive and no video in {home / 'inbox'}" in status["message"]


@pytest.mark.long
def test_what_lies_in_the_inbox_is_worked_on(
    regie: Regie, server: httpx.Client, home: Path, make_video: Callable[..., Path]
) -> None:
    (home / "inbox").mkdir(exist_ok=True)
    make_video(home / "inbox" / "tiny.mp4", seconds=2)
    status = ended(regie, start(server, "video/regie"))
    assert status["state"] == "completed", status
    assert (status["subject"], status["counts"]) == ("inbox", {"completed": 7})
    assert list((home / "video" / "output").rglob("tiny*report.html"))


@pytest.mark.long
def test_a_phase_alone_works_on_what_the_run_before_left(regie: Regie, server: httpx.Client) -> None:
    run_id = start(server, "video-scenes/regie")
    deadline = time.monotonic() + 300
    while (state := patiently(lambda: server.get(f"/flow_runs/{run_id}"))["state"])["type"] not in FINAL:
        assert time.monotonic() < deadline, state
        time.sleep(0.2)
    assert (state["type"], state["message"]) == ("COMPLETED", "1 kept")
