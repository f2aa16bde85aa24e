"""Run the checks and every test, each part in the environment whose packages it needs.

`python tests/run.py [PART…] [-- PYTEST ARGUMENTS]`; the parts are checks, base, torch, audio and tracking.
The last line counts the tests of all parts.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VIDEO = "tests/lib/video"
SCENES, AUDIO, TRACKING = f"{VIDEO}/scenes", f"{VIDEO}/audio", f"{VIDEO}/tracking"

CHECKS = (
    [str(VENV / "bin/ruff"), "check", "."],
    [str(VENV / "bin/ruff"), "format", "--check", "."],
    [str(VENV / "bin/mypy")],
    [str(VENV / "bin/lint-imports")],
)
PARTS = {
    "base": (VENV, ["tests", *(f"--ignore={folder}" for folder in (SCENES, AUDIO, TRACKING))]),
    "torch": (VENV / "envs/torch", [SCENES, AUDIO]),
    "audio": (VENV / "envs/audio", [AUDIO]),
    "tracking": (VENV / "envs/tracking", [TRACKING]),
}
COUNTED = ("passed", "failed", "errors", "skipped")


def main() -> int:
    """Run the parts that are named, or all; return the exit code."""
    named, _, arguments = " ".join(sys.argv[1:]).partition("--")
    wanted = named.split() or ["checks", *PARTS]
    counts = dict.fromkeys(COUNTED, 0)
    ok = True
    if "checks" in wanted:
        for command in CHECKS:
            ok &= subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    for part, (venv, paths) in PARTS.items():
        if part in wanted:
            ok &= run_part(part, venv, [*paths, *arguments.split()], counts)
    failed = counts["failed"] + counts["errors"] + (not ok and not counts["failed"])
    print(f"\n{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped")
    return 0 if ok else 1


def run_part(part: str, venv: Path, arguments: list[str], counts: dict[str, int]) -> bool:
    """Run one part, show what it prints, and add up its closing line."""
    print(f"\n=== {part} ===", flush=True)
    started = time.monotonic()
    command = [str(venv / "bin/python"), "-m", "pytest", "-q", "-rs", "--durations=5", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        last = ""
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line if re.search(r"\d+ (passed|failed|error|skipped)", line) else last
    for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", last):
        counts["errors" if word.startswith("error") else word] += int(count)
    print(f"({part}: {time.monotonic() - started:.0f} s)", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
