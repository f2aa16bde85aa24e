"""The console in Chromium, with a real run: from the list to its end, by keyboard."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from regie_toy_holder import cleaned, processes_of, until, variables_of


@pytest.fixture(scope="module")
def url(
    tmp_path_factory: pytest.TempPathFactory, make_home: Callable[[Path], Path], regie_command: Path
) -> Iterator[str]:
    """The console that `regie up` starts, for the toy workflow."""
    home = make_home(tmp_path_factory.mktemp("machine") / "home")
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    variables = {**variables_of(home), "REGIE_CONSOLE_PORT": str(ports[1])}
    address = f"http://127.0.0.1:{ports[1]}"
    with (
        cleaned(home),
        subprocess.Popen(
            [str(regie_command), "up", "--port", str(ports[0])], env=variables, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        said: list[str] = []
        for line in process.stderr or ():
            said.append(line)
            if "is up" in line:
                break
        assert any(address in line for line in said), said
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert processes_of(home) == []


def state_of(url: str, run_id: str) -> str:
    return str(httpx.get(f"{url}/api/v1/runs/{run_id}").json()["state"])


def test_a_run_is_seen_cancelled_resumed_and_completed(chromium: Any, url: str, tmp_path: Path) -> None:
    tab = chromium.new_context(base_url=url, viewport={"width": 1280, "height": 900}, locale="en-GB").new_page()
    tab.set_default_timeout(60_000)
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)

    tab.goto("/runs")
    assert "regie run toy" in tab.inner_text("main")
    orders = {"folder": str(tmp_path), "phases": {"left": "hold", "right": "wait"}, "steps": 20, "pause": 0.02}
    parameters = {"source": "/rushes/toy box", "orders": orders}
    started = httpx.post(f"{url}/api/v1/runs", json={"workflow": "toy", "parameters": parameters}, timeout=30)
    assert started.status_code == 201, started.text
    run_id = started.json()["run_id"]

    # The empty page becomes a list by itself; the row leads to the run.
    tab.wait_for_selector(f'tr[data-row="{run_id}"][data-state=running]', state="attached")
    tab.get_by_role("link", name="toy box").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#live[data-live=on]", state="attached")
    assert "toy box" in tab.inner_text("h1")
    prefect = tab.get_by_role("link", name="Open in Prefect").first.get_attribute("href")
    assert prefect.endswith(f"/runs/flow-run/{run_id}")
    assert httpx.get(prefect, headers={"accept": "text/html"}).is_success

    # Two phases at work at the same time, one of them in the middle of its second item.
    for key, state in (("start", "completed"), ("left", "running"), ("right", "running"), ("join", "pending")):
        tab.wait_for_selector(f'.node[data-row="phase:{key}"][data-state={state}]')
    tab.locator(".node", has_text="Left").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_function("() => document.querySelector('.detail').textContent.includes('two')")
    percent = tab.inner_text(".hero .big")
    assert 0 < int(percent.rstrip("%")) < 100

    # The one that waits is let go, and its end is seen.
    (tmp_path / "right.go").touch()
    tab.wait_for_selector('.node[data-row="phase:right"][data-state=completed]')
    tab.wait_for_function("() => document.getElementById('told').textContent === 'Right: Completed'")
    tab.wait_for_function("(before) => document.querySelector('.hero .big').textContent !== before", arg=percent)
    tab.wait_for_selector("#log li")

    # Cancelled by keyboard alone.
    tab.get_by_role("button", name="Cancel").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("dialog[open]")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Cancel the run"
    begun = time.monotonic()
    tab.keyboard.press("Enter")
    tab.wait_for_selector("dialog", state="detached")
    tab.wait_for_selector(".head[data-state=cancelled]")
    assert time.monotonic() - begun < 30
    tab.wait_for_selector('.node[data-row="phase:left"][data-state=cancelled]')
    assert tab.evaluate("document.activeElement.textContent").startswith("Cancel")
    assert "cancelled" in tab.title().lower()
    assert state_of(url, run_id) == "cancelled"

    # Resumed under the same id, to its end; what was done is not done again.
    (tmp_path / "left.go").touch()
    tab.get_by_role("button", name="Resume").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".head[data-state=completed]")
    assert tab.inner_text(".hero .big") == "100%"
    assert tab.url.startswith(f"{url}/runs/{run_id}")
    assert tab.locator('.node[data-state="completed"]').count() == 5
    assert until(lambda: state_of(url, run_id) == "completed")
    assert (tmp_path / "right.begun").read_text().count("\n") == 1

    # Some phases of it again, as a new run.
    tab.get_by_role("button", name="Run some phases").click()
    tab.get_by_role("checkbox", name="2 Left").check()
    tab.get_by_role("button", name="Run these phases").click()
    tab.wait_for_function("(old) => !location.pathname.endsWith(old)", arg=run_id)
    tab.wait_for_selector(".head[data-state=completed]")
    assert tab.locator('.node[data-state="skipped"]').count() == 4
    assert complaints == []
