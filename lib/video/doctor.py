"""Which engines can run.

`python -m lib.video.doctor PHASE…` prints those of its own environment as a JSON list. It reads the secrets that a
phase would have from standard input.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial

import orjson
from pydantic import TypeAdapter

from lib import containers, environments
from lib.errors import InputError, UnavailableError
from lib.runs.engines import EngineState
from lib.settings import settings
from lib.video.audio.options import Secrets

SECONDS_TO_ANSWER = 120.0
"""How long an environment may take to say what it can run: it imports its packages, from a slow disk perhaps."""


def engines(secrets: Secrets) -> list[EngineState]:
    """Ask every environment which engines it can run with these secrets, all at the same time; takes seconds."""
    with ThreadPoolExecutor() as together:
        return [state for states in together.map(partial(_ask, secrets), PHASES) for state in states]


def _ask(secrets: Secrets, phase: str) -> list[EngineState]:
    told = orjson.dumps(asdict(secrets))  # through a pipe: anybody can read the arguments of a process
    if settings().profile == "docker":
        return _ask_image(told, phase)
    root = settings().environments
    if not environments.is_ready(environments.folder(phase, root)):
        return [EngineState(phase, "", missing=f"the environment is not made: regie sync {phase}")]
    command = [str(environments.python(phase, root)), "-m", "lib.video.doctor", phase]
    try:
        asked = subprocess.run(command, input=told, capture_output=True, check=True, timeout=SECONDS_TO_ANSWER)
        return TypeAdapter(list[EngineState]).validate_json(asked.stdout)
    except subprocess.CalledProcessError as error:
        words = " ".join(error.stderr.decode(errors="replace").strip().splitlines()[-1:])
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        words = str(error)
    return [EngineState(phase, "", missing=f"the environment is damaged: {words}")]


def _ask_image(told: bytes, phase: str) -> list[EngineState]:
    """Ask in a container of the image that the workers use; who starts these says which one it is."""
    config = settings()
    if (image := config.docker_images.get(phase)) is None:
        return [EngineState(phase, "", missing="its image is not known here: `regie doctor` asks it")]
    try:
        answer = containers.ask(image, ["-m", "lib.video.doctor", phase], told, config, SECONDS_TO_ANSWER)
        return TypeAdapter(list[EngineState]).validate_json(answer)
    except UnavailableError as error:
        words = str(error)
    except (InputError, ValueError) as error:
        words = f"the image {image} is damaged: {error}"
    return [EngineState(phase, "", missing=words)]


def engines_of_scenes(_secrets: Secrets) -> Iterator[EngineState]:
    """Yield the state of the engines of scene detection."""
    from lib.video.scenes.analysis import choose

    try:
        choice = choose(settings().video.scenes)
        yield EngineState("scenes", choice.engine, choice.version)
    except UnavailableError as error:
        yield EngineState("scenes", "transnetv2", missing=str(error))


def engines_of_audio(secrets: Secrets) -> Iterator[EngineState]:
    """Yield the state of the engines that find who speaks."""
    from lib.video.audio.engines import ENGINES, engine

    options = settings().video.audio
    for name in ENGINES:
        module = engine(name)
        assert module is not None
        missing = module.unavailable(options, secrets) or ""
        yield EngineState("audio", name, "" if missing else module.version(options), missing)


def engines_of_tracking(_secrets: Secrets) -> Iterator[EngineState]:
    """Yield the state of the engines that find faces."""
    from lib.video.tracking.engines.registry import ENGINES, choose

    options = settings().video.tracking
    for name in ENGINES:
        try:
            choice = choose(options.model_copy(update={"engines": (name,)}))
            yield EngineState("tracking", name, choice.version)
        except UnavailableError as error:
            yield EngineState("tracking", name, missing=str(error))


PHASES: Mapping[str, Callable[[Secrets], Iterator[EngineState]]] = {
    "scenes": engines_of_scenes,
    "audio": engines_of_audio,
    "tracking": engines_of_tracking,
}

if __name__ == "__main__":
    given = Secrets(**orjson.loads(sys.stdin.buffer.read()))
    states = [state for phase in sys.argv[1:] for state in PHASES[phase](given)]
    sys.stdout.buffer.write(orjson.dumps(states))
