"""Run the checks and every test, each part in the environment whose packages it needs.

`python tests/run.py [--sync] [PART…] [-- PYTEST ARGUMENTS]`; the parts are checks, docker, stack, base, torch,
tracking, audio, e2e and machines. The tests of containers and of the stack, which mostly wait for builds and servers,
go on beside the others; what they print comes at their end. With `--sync` the environments are installed
meanwhile, and each part begins when the ones that it needs are ready. Tests that take long are skipped unless ALL_TESTS
is set, and so are the parts audio (pyannote takes 6 GB to install) and machines. The last line counts the tests of all
parts.
"""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VIDEO = "tests/lib/video"
SCENES, AUDIO, TRACKING = f"{VIDEO}/scenes", f"{VIDEO}/audio", f"{VIDEO}/tracking"
STACK = "tests/deployments"
E2E = ("tests/e2e", "tests/regressions")
DOCKER = "tests/docker"
MACHINES = "tests/machines"

CHECKS = (
    [str(VENV / "bin/ruff"), "check", "."],
    [str(VENV / "bin/ruff"), "format", "--check", "."],
    [str(VENV / "bin/mypy")],
    [str(VENV / "bin/lint-imports")],
)
PARTS = {
    "docker": (VENV, [DOCKER]),
    "stack": (VENV, [STACK]),
    "base": (
        VENV,
        ["tests", *(f"--ignore={folder}" for folder in (STACK, *E2E, DOCKER, MACHINES, SCENES, AUDIO, TRACKING))],
    ),
    "torch": (VENV / "envs/torch", [SCENES, AUDIO]),
    "tracking": (VENV / "envs/tracking", [TRACKING]),
    # What differs from the environment that audio and scenes share: its engine, and another torch.
    "audio": (VENV / "envs/audio", [f"{AUDIO}/engines", f"{AUDIO}/test_scoring.py"]),
    "e2e": (VENV, [*E2E]),
    "machines": (VENV, [MACHINES]),
}
BESIDE = ("docker", "stack")
LATER = () if os.environ.get("ALL_TESTS") else ("audio", "machines")
"""Parts that are run when they are asked for by name, or all tests are."""
SYNCS = {"scenes tracking": ("stack", "torch", "tracking", "e2e"), "audio --engine pyannote": ("audio",)}
"""What `regie sync` installs, and the parts that need it."""
COUNTED = ("passed", "failed", "errors", "skipped")


def main() -> int:
    """Run the parts that are named, or all; return the exit code."""
    words, arguments = sys.argv[1:], []
    if "--" in words:
        words, arguments = words[: words.index("--")], words[words.index("--") + 1 :]
    wanted = [word for word in words if word != "--sync"] or ["checks", *(part for part in PARTS if part not in LATER)]
    counts = dict.fromkeys(COUNTED, 0)
    ok = True
    with ThreadPoolExecutor(max_workers=1) as installing, ThreadPoolExecutor(max_workers=1) as beside:
        ready: dict[str, Future[bool]] = {}
        for names, parts in SYNCS.items() if "--sync" in words else ():
            if not {*parts}.isdisjoint(wanted):
                ready |= dict.fromkeys(parts, installing.submit(sync, names))

        def run(part: str, *, show: bool) -> bool:
            if part in ready and not ready[part].result():
                return False
            venv, paths = PARTS[part]
            return run_part(part, venv, [*paths, *arguments], counts, show=show)

        later = [beside.submit(run, part, show=False) for part in BESIDE if part in wanted]
        if "checks" in wanted:
            for command in CHECKS:
                ok &= subprocess.run(command, cwd=ROOT, check=False).returncode == 0
        for part in PARTS:
            if part in wanted and part not in BESIDE:
                ok &= run(part, show=True)
        ok &= all(part.result() for part in later)
    failed = counts["failed"] + counts["errors"] + (not ok and not counts["failed"])
    print(f"\n{counts['passed']} passed, {failed} failed, {counts['skipped']} skipped")
    return 0 if ok else 1


def sync(names: str) -> bool:
    """Install environments for their tests."""
    started = time.monotonic()
    command = [str(VENV / "bin/regie"), "sync", *names.split(), "--extra", "test"]
    ok = subprocess.run(command, cwd=ROOT, check=False).returncode == 0
    print(f"(regie sync {names}: {time.monotonic() - started:.0f} s)", flush=True)
    return ok


def run_part(part: str, venv: Path, arguments: list[str], counts: dict[str, int], *, show: bool = True) -> bool:
    """Run one part, show what it prints, as it comes or else at its end, and add up its closing line."""
    started = time.monotonic()
    command = [str(venv / "bin/python"), "-m", "pytest", "-q", "-rs", "--durations=12", *arguments]
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
