"""Run the checks and every test, each part in the environment whose packages it needs.

`python tests/run.py [PART…] [-- PYTEST ARGUMENTS]`; the parts are checks, stack, docker, base, torch, audio and
tracking. The tests of the stack and of containers, which wait for servers and builds most of the time, go on beside the
others; what they print comes at their end. The last line counts the tests of all parts.
"""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VIDEO = "tests/lib/video"
SCENES, AUDIO, TRACKING = f"{VIDEO}/scenes", f"{VIDEO}/audio", f"{VIDEO}/tracking"
STACK = ("tests/deployments", "tests/e2e", "tests/regressions")
DOCKER = "tests/docker"

CHECKS = (
    [str(VENV / "bin/ruff"), "check", "."],
    [str(VENV / "bin/ruff"), "format", "--check", "."],
    [str(VENV / "bin/mypy")],
    [str(VENV / "bin/lint-imports")],
)
PARTS = {
    "stack": (VENV, [*STACK]),
    "docker": (VENV, [DOCKER]),
    "base": (VENV, ["tests", *(f"--ignore={folder}" for folder in (*STACK, DOCKER, SCENES, AUDIO, TRACKING))]),
    "torch": (VENV / "envs/torch", [SCENES, AUDIO]),
    "audio": (VENV / "envs/audio", [AUDIO]),
    "tracking": (VENV / "envs/tracking", [TRACKING]),
}
BESIDE = ("stack", "docker")
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
    parts = [(part, venv, [*paths, *arguments.split()]) for part, (venv, paths) in PARTS.items() if part in wanted]
    with ThreadPoolExecutor(max_workers=1) as beside:
        later = [beside.submit(run_part, *each, counts, show=False) for each in parts if each[0] in BESIDE]
        for each in parts:
            if each[0] not in BESIDE:
                ok &= run_part(*each, counts)
        ok &= all(part.result() for part in later)
    failed = counts["failed"] + counts["errors"] + (not ok and not counts["failed"])
    print(f"\n{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped")
    return 0 if ok else 1


def run_part(part: str, venv: Path, arguments: list[str], counts: dict[str, int], *, show: bool = True) -> bool:
    """Run one part, show what it prints, as it comes or else at its end, and add up its closing line."""
    started = time.monotonic()
    command = [str(venv / "bin/python"), "-m", "pytest", "-q", "-rs", "--durations=5", *arguments]
    lines = [f"\n=== {part} ===\n"]
    if show:
        print(lines[0], end="", flush=True)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            lines.append(line)
            if show:
                print(line, end="", flush=True)
    closing = [line for line in lines if re.search(r"\d+ (passed|failed|error|skipped)", line)]
    for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", closing[-1] if closing else ""):
        counts["errors" if word.startswith("error") else word] += int(count)
    print("" if show else "".join(lines), f"({part}: {time.monotonic() - started:.0f} s)", sep="", flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
