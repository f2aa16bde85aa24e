"""Runs of `offers` by the `regie` command: to the end, stopped and resumed, killed and run again."""

import csv
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from regie_toy_bakery import JOB, PROFILE, alert, bakeries, hosts
from regie_toy_site import Answer, Site

Regie = Callable[..., Any]
OFFERS = 12
HELD = 6
"""The page of this offer is not given before the gate is open."""


@dataclass
class Desk:
    """A mailbox with an alert of a dozen offers, and a site one of whose pages can be kept back."""

    folder: Path
    pages: Site
    gate: Any

    @property
    def arguments(self) -> list[str]:
        places = {"--mail": "mail", "--store": "offers.db", "--profile": "profile.toml"}
        return [word for option, name in places.items() for word in (option, str(self.folder / name))]

    @property
    def variables(self) -> dict[str, str]:
        web = {"hosts": hosts(self.pages), "delay": 0, "host_requests": 8}
        return {"REGIE_OFFERS__WEB": json.dumps(web), "REGIE_OFFERS__COMPLETE__PAGES_AT_ONCE": "1"}

    def wait_for_held(self) -> None:
        """Wait until the page that is kept back is asked for."""
        deadline = time.monotonic() + 120
        while not any(path.endswith(str(HELD)) for path in self.pages.paths):
            assert time.monotonic() < deadline, self.pages.paths
            time.sleep(0.05)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    import threading

    gate = threading.Event()

    def answer(number: int) -> Answer:
        return Answer(JOB.format(number=number), hold=gate if number == HELD else None)

    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "one.eml").write_bytes(alert(range(OFFERS)))
    (tmp_path / "profile.toml").write_text(PROFILE)
    with bakeries(answer) as pages:
        yield Desk(tmp_path, pages, gate)
        gate.set()


def counts(result: dict[str, Any]) -> dict[str, int]:
    """Return the totals of the table that a run printed, by status."""
    [shown] = result["outputs"]
    cells = zip(shown["columns"], shown["totals"]["cells"], strict=True)
    return {column["status"]: cell["count"] for column, cell in cells if cell["count"]}


def test_a_run_by_command_line_and_then_nothing_to_do(desk: Desk, regie: Regie) -> None:
    desk.gate.set()
    done = regie("run", "offers", *desk.arguments, "--json", **desk.variables)
    assert done.code == 0, done.err
    assert counts(done.result) == {"analysed": OFFERS}
    assert done.result["outputs"][0]["calls"] == {"reads": 1, "writes": 6}
    assert [phase["state"] for phase in done.result["phases"]] == ["completed"] * 3

    again = regie("run", "offers", *desk.arguments, **desk.variables)
    assert again.code == 0
    assert "Nothing to do" in again.out
    assert "1 call to the store" in again.out

    store = desk.arguments[2:4]
    listed = regie("offers", "list", *store, "--csv")
    rows = list(csv.DictReader(io.StringIO(listed.out.lstrip("\ufeff"))))
    assert len(rows) == OFFERS
    assert all(row["link"].startswith("https://www.linkedin.com/jobs/view/") for row in rows)
    checked = regie("offers", "check", *desk.arguments, "--json")
    assert checked.code == 0, checked.out
    assert {each["what"]: each["works"] for each in checked.result}["store"] is True


def test_a_run_that_is_stopped_goes_on_where_it_was(
    desk: Desk, regie: Regie, regie_command: Path, regie_variables: dict[str, str]
) -> None:
    command = [str(regie_command), "run", "offers", *desk.arguments, "--json"]
    with subprocess.Popen(command, env={**regie_variables, **desk.variables}, stdout=subprocess.PIPE) as begun:
        desk.wait_for_held()
        status = regie("status", "--json").result
        assert [phase["state"] for phase in status["phases"]][:2] == ["completed", "running"]
        assert regie("cancel", status["run_id"]).code == 0
        said, _ = begun.communicate(timeout=60)
    assert json.loads(said)["state"] == "cancelled"
    desk.gate.set()
    resumed = regie("resume", status["run_id"])
    assert resumed.code == 0, resumed.err
    asked = [path for path in desk.pages.paths if "/jobs/view/" in path]
    # The page that it was stopped at is asked for twice: what was read before it is written when a run is stopped.
    assert len(asked) == OFFERS + 1


@pytest.mark.long
def test_kill_9_and_the_same_command_again(
    desk: Desk, regie: Regie, regie_command: Path, regie_variables: dict[str, str]
) -> None:
    command = [str(regie_command), "run", "offers", *desk.arguments, "--inline"]
    with subprocess.Popen(command, env={**regie_variables, **desk.variables}) as begun:
        desk.wait_for_held()
        os.kill(begun.pid, signal.SIGKILL)
    desk.gate.set()
    done = regie("run", "offers", *desk.arguments, "--json", **desk.variables)
    assert done.code == 0, done.err
    assert counts(done.result) == {"analysed": OFFERS}
    assert done.result["phases"][0]["state"] == "skipped"
