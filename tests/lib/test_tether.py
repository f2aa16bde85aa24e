import subprocess
import sys
from pathlib import Path

import pytest

MODULE = """
import os, sys, time
print(__name__, len(sys.argv), os.read(0, 1), flush=True)
time.sleep({seconds})
"""


def tethered(folder: Path, seconds: float) -> "subprocess.Popen[str]":
    """Start a module that says what it finds, and then works for a while."""
    (folder / "work.py").write_text(MODULE.format(seconds=seconds))
    command = [sys.executable, "-m", "lib.tether", "work"]
    return subprocess.Popen(
        command, env={"PYTHONPATH": f"{folder}:{Path.cwd()}"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("words", ["", "words that nobody reads"])
def test_a_module_ends_with_whoever_holds_its_standard_input(tmp_path: Path, words: str) -> None:
    with tethered(tmp_path, seconds=60) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "__main__ 1 b''\n", "it is run as by `python -m`, and finds nothing to read"
        process.stdin.write(words)
        process.stdin.close()
        assert process.wait(10) == 1


def test_a_module_that_is_held_works_to_its_end(tmp_path: Path) -> None:
    with tethered(tmp_path, seconds=0) as process:
        assert process.wait(10) == 0
