"""The HTTP API over a real Prefect server: what runs are, and what can be asked of them."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lib.console.api.paging import PAGE_BYTES
from lib.runs.status import RunStatus

NOBODY = "00000000-0000-4000-8000-000000000000"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem that an answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["type"] == "about:blank"
    assert told["title"]
    assert told["detail"]
    return told


def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)
    return value


def test_the_workflows_and_their_phases_are_listed(console: httpx.Client) -> None:
    [workflow] = console.get("/api/v1/workflows").json()["items"]
    assert (workflow["key"], workflow["name"], workflow["subject"]) == ("toy", "Toy", "source")
    assert [phase["key"] for phase in workflow["phases"]] == ["start", "left", "right", "join", "last"]
    assert workflow["phases"][3]["after"] == ["left", "right"]


def test_a_run_is_told_with_its_phases(console: httpx.Client, ended: dict[str, str]) -> None:
    status = RunStatus.model_validate(console.get(f"/api/v1/runs/{ended['completed']}").json())
    assert (status.state, status.progress, status.subject) == ("completed", 100, "good box")
    assert {phase.state for phase in status.phases} == {"completed"}
    partial = console.get(f"/api/v1/runs/{ended['partial']}").json()
    assert partial["state"] == "partial"
    assert partial["phases"][1]["error"].startswith("The toy is broken")


def test_the_newest_run_has_a_name(console: httpx.Client, ended: dict[str, str]) -> None:
    assert console.get("/api/v1/runs/latest").json()["run_id"] == ended["partial"]


@pytest.mark.parametrize("run_id", [NOBODY, "nobody", "%00", "%E2%82%AC", "..%2f..%2fadmin", "%7B%7D", "x" * 100])
@pytest.mark.parametrize("what", ["", "/logs", "/logs.txt", "/events"])
def test_what_is_no_run_is_not_found(console: httpx.Client, run_id: str, what: str) -> None:
    problem(console.get(f"/api/v1/runs/{run_id}{what}"), 404)


@pytest.mark.parametrize("what", ["cancel", "resume", "again"])
def test_what_is_no_run_is_not_acted_on(console: httpx.Client, what: str) -> None:
    assert "no run" in problem(console.post(f"/api/v1/runs/{NOBODY}/{what}"), 404)["detail"]


def test_a_phase_is_no_run(console: httpx.Client, ended: dict[str, str]) -> None:
    phase = console.get(f"/api/v1/runs/{ended['completed']}").json()["phases"][0]["run_id"]
    problem(console.get(f"/api/v1/runs/{phase}"), 404)
    problem(console.post(f"/api/v1/runs/{phase}/cancel"), 404)


def test_runs_are_listed_the_newest_first_page_by_page(console: httpx.Client, ended: dict[str, str]) -> None:
    everything = console.get("/api/v1/runs").json()
    ids = [run["run_id"] for run in everything["items"]]
    assert [run_id for run_id in ids if run_id in ended.values()] == [ended["partial"], ended["completed"]]
    assert everything["total"] == len(ids)
    second = console.get("/api/v1/runs", params={"limit": 1, "offset": 1}).json()
    assert [run["run_id"] for run in second["items"]] == ids[1:2]
    assert second["total"] == len(ids)


def test_runs_are_found_by_state_and_subject(console: httpx.Client, ended: dict[str, str]) -> None:
    def found(**wanted: Any) -> set[str]:
        return {run["run_id"] for run in console.get("/api/v1/runs", params=wanted).json()["items"]}

    assert ended["partial"] in found(state="partial")
    assert ended["completed"] not in found(state="partial")
    assert found(state=["partial", "completed"]) >= set(ended.values())
    assert found(subject="no such box") == set()
    assert found(workflow="no such workflow") == set()
    assert found(until="2020-01-01T00:00:00Z") == set()
    assert found(since="2020-01-01T00:00:00Z") >= set(ended.values())


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "query.limit"),
        ("limit=201", "query.limit"),
        ("limit=ten", "query.limit"),
        ("offset=-1", "query.offset"),
        ("offset=99999999999999999999", "query.offset"),
        ("state=odd", "query.state.0"),
        ("since=yesterday", "query.since"),
        ("since=2026-01-01T00:00:00", "query.since"),
        ("subject=" + "x" * 201, "query.subject"),
    ],
)
def test_a_wrong_question_is_answered_with_the_field(console: httpx.Client, query: str, field: str) -> None:
    told = problem(console.get(f"/api/v1/runs?{query}"), 422)
    assert [error["field"] for error in told["errors"]] == [field]
    assert field in told["detail"]


def test_the_logs_are_told_page_by_page_and_as_text(console: httpx.Client, ended: dict[str, str]) -> None:
    address = f"/api/v1/runs/{ended['partial']}/logs"

    def some() -> Any:  # lines come to the server a moment after they were said
        page = console.get(address, params={"limit": 2}).json()
        return page if len(page["lines"]) == 2 else None

    first = until(some)
    second = console.get(address, params={"after": first["next"], "limit": 2}).json()
    assert {line["id"] for line in first["lines"]}.isdisjoint(line["id"] for line in second["lines"])
    answer = console.get(f"{address}.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="regie-{ended["partial"]}.txt"'
    assert first["lines"][0]["message"] in answer.text


def test_the_logs_of_a_phase_that_is_none_are_refused(console: httpx.Client, ended: dict[str, str]) -> None:
    address = f"/api/v1/runs/{ended['partial']}/logs"
    for wrong in ({"phase": "nose"}, {"after": "nonsense!"}, {"level": "loud"}, {"limit": 0}):
        problem(console.get(address, params=wrong), 422)
    problem(console.get(f"{address}.txt", params={"phase": "nose"}), 422)


def test_the_history_of_a_workflow_is_told_by_phase(console: httpx.Client, ended: dict[str, str]) -> None:
    history = console.get("/api/v1/history/toy").json()
    assert [phase["key"] for phase in history["phases"]] == ["start", "left", "right", "join", "last"]
    assert history["phases"][0]["runs"] >= 1
    assert history["phases"][0]["median"] > 0
    assert "no such workflow" in problem(console.get("/api/v1/history/nonsense"), 404)["detail"]


def test_a_run_is_started_found_and_cancelled(console: httpx.Client) -> None:
    order = {"workflow": "toy", "parameters": {"source": "/things/new box"}, "only": [1, 2]}
    answer = console.post("/api/v1/runs", json=order)
    assert answer.status_code == 201, answer.text
    run_id = answer.json()["run_id"]
    assert answer.headers["location"] == f"/api/v1/runs/{run_id}"
    status = console.get(answer.headers["location"]).json()
    assert (status["state"], status["subject"]) == ("pending", "new box")
    assert [phase["state"] for phase in status["phases"]] == ["pending", "pending", "skipped", "skipped", "skipped"]
    assert "resumed once it has ended" in problem(console.post(f"/api/v1/runs/{run_id}/resume"), 409)["detail"]
    assert console.post(f"/api/v1/runs/{run_id}/cancel").status_code == 202
    assert until(lambda: console.get(f"/api/v1/runs/{run_id}").json()["state"] == "cancelled")
    assert "ended already" in problem(console.post(f"/api/v1/runs/{run_id}/cancel"), 409)["detail"]


def test_a_cancelled_run_goes_on_under_its_own_id(console: httpx.Client) -> None:
    run_id = console.post("/api/v1/runs", json={"workflow": "toy", "parameters": {"source": "box"}}).json()["run_id"]
    console.post(f"/api/v1/runs/{run_id}/cancel")
    answer = console.post(f"/api/v1/runs/{run_id}/resume")
    assert (answer.status_code, answer.json()) == (202, {"run_id": run_id})
    assert console.get(f"/api/v1/runs/{run_id}").json()["state"] == "pending"
    console.post(f"/api/v1/runs/{run_id}/cancel")


def test_a_completed_run_is_not_resumed(console: httpx.Client, ended: dict[str, str]) -> None:
    assert "completed" in problem(console.post(f"/api/v1/runs/{ended['completed']}/resume"), 409)["detail"]


def test_a_run_is_run_again_with_the_same_parameters_or_some_phases(
    console: httpx.Client, ended: dict[str, str]
) -> None:
    answer = console.post(f"/api/v1/runs/{ended['partial']}/again")
    assert answer.status_code == 201, answer.text
    again = answer.json()["run_id"]
    assert again != ended["partial"]
    status = console.get(f"/api/v1/runs/{again}").json()
    assert status["subject"] == console.get(f"/api/v1/runs/{ended['partial']}").json()["subject"]
    assert {phase["state"] for phase in status["phases"]} == {"pending"}
    some = console.post(f"/api/v1/runs/{again}/again", json={"first": 4}).json()["run_id"]
    states = [phase["state"] for phase in console.get(f"/api/v1/runs/{some}").json()["phases"]]
    assert states == ["skipped", "skipped", "skipped", "pending", "pending"]
    rest = console.post(f"/api/v1/runs/{some}/again", json={}).json()["run_id"]
    states = [phase["state"] for phase in console.get(f"/api/v1/runs/{rest}").json()["phases"]]
    assert states == ["pending"] * 5, "all phases, unless some are chosen"
    for run_id in (again, some, rest):
        console.post(f"/api/v1/runs/{run_id}/cancel")


@pytest.mark.parametrize(
    ("order", "field", "words"),
    [
        ({}, "body.workflow", "Field required"),
        ({"workflow": "nonsense"}, "body.workflow", "toy"),
        ({"workflow": "toy", "colour": 1}, "body.colour", "Extra inputs"),
        ({"workflow": "toy", "parameters": []}, "body.parameters", "dictionary"),
        ({"workflow": "toy", "parameters": {}}, "body.parameters", "source"),
        ({"workflow": "toy", "parameters": {"source": []}}, "body.parameters", "source"),
        ({"workflow": "toy", "parameters": {"source": "a", "colour": "b"}}, "body.parameters", "colour"),
        ({"workflow": "toy", "parameters": {"source": "a"}, "only": [9]}, "body.only", "no phase 9"),
        ({"workflow": "toy", "parameters": {"source": "a"}, "first": 4, "last": 2}, "body.first", "there is no phase"),
        ({"workflow": "toy", "parameters": {"source": "a"}, "only": [1], "first": 2}, "body.only", "not both"),
        ({"workflow": "toy", "parameters": {"source": "a"}, "only": ["x"]}, "body.only.0", "integer"),
    ],
)
def test_a_wrong_order_starts_nothing_and_names_the_field(
    console: httpx.Client, order: Any, field: str, words: str
) -> None:
    before = console.get("/api/v1/runs").json()["total"]
    told = problem(console.post("/api/v1/runs", json=order), 422)
    assert [error["field"] for error in told["errors"]] == [field]
    assert words in told["errors"][0]["detail"]
    assert console.get("/api/v1/runs").json()["total"] == before


def test_an_unknown_address_or_method_is_a_problem(console: httpx.Client) -> None:
    problem(console.get("/api/v1/nonsense"), 404)
    answer = console.delete("/api/v1/workflows")
    problem(answer, 405)
    assert answer.headers["allow"] == "GET"
    assert console.delete("/api/v1/runs").headers["allow"] == "GET, POST"


def test_texts_from_outside_come_through_as_they_are(console: httpx.Client, ended: dict[str, str]) -> None:
    answer = console.get(f"/api/v1/runs/{ended['partial']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_stay_small_unless_more_is_asked_for(console: httpx.Client, ended: dict[str, str]) -> None:
    for address in ("runs", "workflows", "system", "engines", "timings", "settings", "history/toy"):
        assert len(console.get(f"/api/v1/{address}").content) < 50_000
    assert PAGE_BYTES < 50_000


def test_health_and_metrics_are_told(console: httpx.Client, ended: dict[str, str]) -> None:
    assert console.get("/health").json() == {"status": "ok"}
    answer = console.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert "regie_prefect_up 1.0" in lines
    assert any(line.startswith('regie_runs{state="partial"} ') for line in lines)
    assert any(line.startswith("regie_console_request_seconds_bucket") and "/health" in line for line in lines)
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


def test_no_path_from_outside_becomes_a_name_in_the_figures(console: httpx.Client) -> None:
    console.get("/made-up-path")
    console.request("MADEUP", "/api/v1/runs")
    told = console.get("/metrics").text + console.get("/api/v1/timings").text
    assert "made-up-path" not in told
    assert "MADEUP" not in told


def test_how_long_routes_take_is_told(console: httpx.Client) -> None:
    console.get("/api/v1/workflows")
    rows = {row["route"]: row for row in console.get("/api/v1/timings").json()["items"]}
    row = rows["GET /api/v1/workflows"]
    assert 0 < row["median"] <= row["p95"] <= row["slowest"]


def test_a_stream_of_events_is_no_answer_that_takes_long(console: httpx.Client) -> None:
    with console.stream("GET", "/api/v1/events", params={"topics": "system"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        data = next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
    assert data["topic"] == "system"
    assert data["rows"]["machine"]["cores"] >= 1
    # Its end is noticed a moment later; what would note it then has been passed.
    rows = {row["route"]: row["requests"] for row in console.get("/api/v1/timings").json()["items"]}
    assert "GET /api/v1/events" not in rows


def test_when_prefect_is_away_it_is_said_in_words(lonely: httpx.Client) -> None:
    for address in ("runs", "runs/latest"):
        assert "regie up" in problem(lonely.get(f"/api/v1/{address}"), 503)["detail"]
    problem(lonely.post("/api/v1/runs", json={"workflow": "toy", "parameters": {"source": "a"}}), 503)
    problem(lonely.get("/health"), 503)
    assert "regie_prefect_up 0.0" in lonely.get("/metrics").text.splitlines()
    assert lonely.get("/api/v1/system").status_code == 200, "the machine is told all the same"
