"""Whoever stops a run reads in its log that it was stopped, not of a crash."""

import logging
from typing import Any

import pytest
from prefect import State, task
from prefect.client.orchestration import get_client
from prefect.exceptions import CancelledRun, FailedRun
from prefect.flow_engine import run_flow
from prefect.logging import get_run_logger
from prefect.logging.loggers import flow_run_logger

from flows.orchestration import phase_flow
from flows.stopping import Stopped
from lib.errors import InputError
from lib.runs.plan import Phase, Workflow

QUIET = Workflow(
    "quiet",
    "Quiet",
    "test_quiet:quiet",
    tuple(
        Phase(number, key, key.title(), f"test_quiet:{key}_phase", "base")
        for number, key in enumerate(("stopped", "failing", "broken"), start=1)
    ),
)


@pytest.fixture(scope="module", autouse=True)
def _server(prefect_server: None) -> None:
    """Every test here runs on a real server."""


@task(persist_result=False)
def stopped() -> None:
    """Be stopped in the middle."""
    get_run_logger().error("half of it is lost")
    raise Stopped


@phase_flow(QUIET, "stopped")
def stopped_phase() -> State[Any]:
    """Be stopped in a task."""
    stopped()
    raise AssertionError


@phase_flow(QUIET, "failing")
def failing_phase() -> State[Any]:
    """Fail for a reason that a person can act on."""
    raise InputError("The disk is full. Free some space.")


@phase_flow(QUIET, "broken")
def broken_phase() -> State[Any]:
    """Fail for a reason that only a programmer can act on."""
    raise RuntimeError("a bug")


def logged(flow: Any, error: type[Exception], caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Run a flow as the process of its own does that a worker starts; return what is logged of it."""
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(flow)
    with caplog.at_level(logging.INFO), pytest.raises(error):
        run_flow(flow, flow_run=run, error_logger=flow_run_logger(run))  # type: ignore[arg-type]  # as Prefect has it
    return [record for record in caplog.records if record.name in {"prefect.flow_runs", "prefect.task_runs"}]


def lines(records: list[logging.LogRecord], level: int) -> list[str]:
    return [record.getMessage() for record in records if record.levelno >= level]


def test_what_is_stopped_in_a_task_is_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    records = logged(stopped_phase, CancelledRun, caplog)
    assert lines(records, logging.WARNING) == ["half of it is lost"], "the work's own errors are told"
    assert lines(records, logging.INFO)[-1] == "Finished in state Cancelled('Stopped as asked')"
    assert not any("Crash" in line for line in lines(records, logging.INFO))
    assert not any(record.exc_info for record in records)


def test_what_fails_for_a_reason_in_words_is_an_error_without_traceback(caplog: pytest.LogCaptureFixture) -> None:
    records = logged(failing_phase, FailedRun, caplog)
    assert lines(records, logging.ERROR) == ["The disk is full. Free some space."]
    assert not any(record.exc_info for record in records)


def test_what_fails_for_no_known_reason_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    assert any(record.exc_info for record in logged(broken_phase, RuntimeError, caplog))
