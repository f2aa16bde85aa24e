"""The examples of docs/python.md, as somebody runs them who copies them from there."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"
EXAMPLES = {
    heading.strip(): code
    for heading, code in re.findall(
        r"^## ([^\n]+)\n.*?^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
}
FOLLOW = ("Start a run and wait for it", "Progress", "Stop a run and go on with it", "In a notebook: the newest run")
FLOW = "Without `regie up`: the flow itself"
FUNCTION = "Without any server: one function"
IN_A_LOOP = "import asyncio, sys\nasync def main(): exec(sys.argv[1], {})\nasyncio.run(main())"
"""Runs code as a notebook does, in the thread of an event loop."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_video: Callable[..., Path]) -> Path:
    """A folder with rushes, in which the examples are run."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "rushes").mkdir()
    make_video(folder / "rushes/a street.mp4", seconds=2)
    return folder


def told(code: str, folder: Path, variables: dict[str, str], *, loop: bool = False) -> str:
    """Run code in a process of its own and return what it prints."""
    command = [sys.executable, "-c", *((IN_A_LOOP, code) if loop else (code,))]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_of_the_page_is_run_here() -> None:
    assert set(EXAMPLES) == {*FOLLOW, FLOW, FUNCTION}
    assert len(EXAMPLES) == PAGE.read_text().count("```python")


@pytest.fixture(scope="module")
def followed(up: None, folder: Path, regie_variables: dict[str, str]) -> str:
    """What the examples say that need a server, run one after the other as the page has them."""
    return told("\n".join(EXAMPLES[heading] for heading in FOLLOW), folder, regie_variables)


@pytest.mark.long
def test_a_run_is_started_and_waited_for(followed: str) -> None:
    assert followed.splitlines()[0] == "completed 100.0"
    assert re.search(r"^3 Scenes completed transnetv2 .*\d", followed, re.MULTILINE)


@pytest.mark.long
def test_progress_is_told_until_the_end(followed: str) -> None:
    assert "100 %" in followed.splitlines()


@pytest.mark.long
def test_a_run_is_stopped_and_goes_on(followed: str) -> None:
    lines = followed.splitlines()
    assert lines[lines.index("cancelled") + 1] == "completed"


@pytest.mark.long
def test_the_newest_run_is_looked_at_in_a_notebook(
    followed: str, folder: Path, regie_variables: dict[str, str]
) -> None:
    seen = told(EXAMPLES["In a notebook: the newest run"], folder, regie_variables, loop=True)
    assert seen.startswith("rushes: completed, 100 %")
    assert seen.splitlines()[-7:] == followed.splitlines()[-7:]


@pytest.mark.long
def test_the_flow_is_called_without_a_server(
    followed: str, folder: Path, tmp_path: Path, make_home: Callable[[Path], Path]
) -> None:
    home = make_home(tmp_path / "home")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGIE_"))}
    variables |= {"PREFECT_HOME": str(home / "prefect"), "REGIE_HOME": str(home)}
    variables |= {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120"}
    assert told(EXAMPLES[FLOW], folder, variables) == "Completed 2 phases completed\n"


@pytest.mark.long
def test_a_function_is_called_without_anything(followed: str, folder: Path) -> None:
    assert told(EXAMPLES[FUNCTION], folder, {**os.environ}) == "a street.mp4 50 frames, 25.0 a second, sound: True\n"
