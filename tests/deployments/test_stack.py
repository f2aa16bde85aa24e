import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from regie_toy_holder import Holder, cleaned, leaving, processes_of, until

from deployments.stack import environment_of
from deployments.supervision import end
from lib.files import is_temporary
from lib.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart by their environment")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, make_home: Callable[[Path], Path]) -> Path:
    return make_home(tmp_path_factory.mktemp("machine") / "home")


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Holder]:
    """A stack that is up while the tests of this module go on."""
    with cleaned(home), Holder(home) as holder:
        holder.hear("own")
        yield holder
        holder.leave()
        assert processes_of(home) == []


@pytest.fixture
def url(home: Path, up: Holder) -> str:
    return str(json.loads((home / "run" / "stack.json").read_text())["api_url"])


def states(status: dict[str, Any]) -> dict[str, str]:
    return {phase["key"]: phase["state"] for phase in status["phases"] if phase["state"] != "skipped"}


def test_a_run_takes_each_phase_to_its_environment_and_finds_all_of_them(up: Holder) -> None:
    status = up.order()
    assert status["state"] == "completed"
    engines = {phase["key"]: phase["engine"] for phase in status["phases"]}
    assert engines.pop("last") == "clockwork in torch"
    assert set(engines.values()) == {f"clockwork in {Path(sys.prefix).name}"}
    assert {(phase["state"], phase["done"]) for phase in status["phases"]} == {("completed", 2)}


def test_a_phase_elsewhere_that_fails_says_why(up: Holder) -> None:
    status = up.order(only=[5], last="raise")
    assert status["state"] == "failed"
    assert "The toy is broken. Mend it." in status["phases"][-1]["error"]
    assert "The toy is broken. Mend it." in status["message"]


def test_a_second_user_takes_the_stack_that_is_up_and_leaves_it_up(home: Path, up: Holder, url: str) -> None:
    with Holder(home) as second:
        assert second.hear("own") is False
        assert len([process for process in processes_of(home) if "server" in process.cmdline()]) == 1
        second.leave()
    assert httpx.get(f"{url}/health").is_success


def test_regie_up_is_refused_while_a_run_holds_a_server_of_its_own(home: Path, up: Holder, url: str) -> None:
    with Holder(home, port=4299) as second:
        refusal = second.hear("refused")
        second.leave()
    assert f"A server is up already ({url.removesuffix('/api')}), by process {up.process.pid} (" in refusal
    assert "start `regie up` then" in refusal


@pytest.mark.long
def test_an_owner_that_is_killed_leaves_nothing_and_its_runs_go_on_with_a_new_stack(
    tmp_path: Path, make_home: Callable[[Path], Path]
) -> None:
    home = make_home(tmp_path / "home")
    with cleaned(home), Holder(home) as owner:
        owner.hear("own")
        run_id = owner.order(only=[1, 5], wait=False, folder=str(tmp_path), last="hold")["run_id"]
        # The orchestrator and the phase, each in a process that a worker started.
        until(lambda: (tmp_path / "last.one").exists() and any(map(is_temporary, tmp_path.iterdir())))
        assert len([p for p in processes_of(home) if "prefect.engine" in p.cmdline()]) == 2
        owner.kill()
        until(lambda: processes_of(home) == [], seconds=10)
        (tmp_path / "last.go").touch()
        with leaving(home) as leave, Holder(home) as heir:
            leave()
            assert heir.hear("own") is True
            died, ended = heir.resume(run_id)
            assert died["state"] == "crashed"
            assert states(died) == {"start": "completed", "last": "crashed"}
            assert (ended["state"], ended["run_id"]) == ("completed", run_id)
            assert states(ended) == {"start": "completed", "last": "completed"}
            done = [status["phases"][0] for status in (died, ended)]
            assert len({(phase["run_id"], phase["started"], phase["ended"]) for phase in done}) == 1, "it was kept"
            assert (tmp_path / "last.worked").read_text().split() == ["one", "two", "two"]
            heir.leave()
            assert processes_of(home) == []
            assert not (home / "run" / "stack.json").exists()


@pytest.mark.long
def test_an_owner_that_is_interrupted_keeps_the_server_up_for_the_runs_of_others(
    tmp_path: Path, make_home: Callable[[Path], Path]
) -> None:
    home = make_home(tmp_path / "home")
    with cleaned(home), Holder(home) as owner:
        assert owner.hear("own") is True
        with Holder(home) as other:
            assert other.hear("own") is False
            owner.process.send_signal(signal.SIGINT)
            assert "Another run still uses this server" in owner.hear("said")
            assert other.order(only=[5])["state"] == "completed"
            other.leave()
        assert owner.process.wait(30) != 0
        assert processes_of(home) == []


@pytest.fixture
def quiet_home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", start_timeout=30)


def test_every_process_of_a_stack_is_told_where_everything_is(
    quiet_home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")
    monkeypatch.setenv("PREFECT_WORKER_QUERY_SECONDS", "7")
    monkeypatch.delenv("PREFECT_SERVER_ANALYTICS_ENABLED", raising=False)
    variables = environment_of(quiet_home, "http://127.0.0.1:1/api")
    assert variables["PREFECT_API_URL"] == "http://127.0.0.1:1/api"
    assert variables["PREFECT_HOME"] == str(quiet_home.home / "prefect")
    assert variables["REGIE_HOME"] == str(quiet_home.home)
    assert variables["PREFECT_WORKER_QUERY_SECONDS"] == "7", "what the user has set wins"
    assert variables["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = [sys.executable, "-c", "import time; print('child', flush=True); time.sleep(600)"]
with subprocess.Popen(child):
    time.sleep(600)
"""


def test_a_process_that_will_not_end_is_killed_with_all_that_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.supervision.GRACE_SECONDS", 0.2)
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as stubborn:
        assert stubborn.stdout is not None
        assert stubborn.stdout.readline() == "child\n"
        [child] = psutil.Process(stubborn.pid).children()
        end(stubborn.pid)
        assert not psutil.pid_exists(child.pid) or child.status() == psutil.STATUS_ZOMBIE
        assert stubborn.wait(5) is not None


def test_a_process_that_has_ended_already_is_no_problem() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    end(ended.pid)
