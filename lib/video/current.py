"""Whether an analysis would find nothing to do, asked of the environment that holds its engines.

Sending a phase to another environment costs seconds even when every result is there already. Asking its Python first,
without Prefect and without its heavy packages, costs a fraction of one.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from lib.errors import InputError, UnavailableError
from lib.settings import settings
from lib.video.analysis import analysis_of
from lib.video.audio.options import Secrets
from lib.video.hashes import HashBook
from lib.video.once import is_current
from lib.video.options import VideoOptions

SECONDS = 60


def all_current(phase: str, videos: Sequence[Path], options: VideoOptions, python: Path, secrets: Secrets) -> bool:
    """Whether the results of a phase beside these videos are what `python`'s environment would make of them.

    The secrets are those that the phase would have: they decide which engines can run.

    False also when the environment does not answer: the phase itself will say what is wrong with it.
    """
    analysis = analysis_of(phase)
    if options.force or not all(file.exists() for video in videos for file in analysis.outputs(video)):
        return False
    question = {
        "videos": [str(video) for video in videos],
        "options": options.model_dump(mode="json"),
        "secrets": asdict(secrets),  # through a pipe: anybody can read the arguments of a process
    }
    try:
        answer = subprocess.run(
            [str(python), "-m", "lib.video.current", phase],
            input=orjson.dumps(question), capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def main(phase: str) -> int:
    """Answer the question on standard input by the exit code: 0 when all are current."""
    question = orjson.loads(sys.stdin.buffer.read())
    options = VideoOptions.model_validate(question["options"])
    analysis = analysis_of(phase, Secrets(**question["secrets"]))
    hashes = HashBook(settings().cache / "hashes.db")
    try:
        known = (is_current(analysis, phase, Path(v), getattr(options, phase), hashes) for v in question["videos"])
        return 0 if all(known) else 1
    except (InputError, UnavailableError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
