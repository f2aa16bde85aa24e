"""Which engines can run in this environment: `python -m lib.video.doctor PHASE…` prints a JSON list."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass

import orjson

from lib.errors import UnavailableError
from lib.settings import settings


@dataclass(frozen=True)
class EngineState:
    """Whether an engine can run here."""

    phase: str
    engine: str
    version: str = ""
    missing: str = ""
    """What is missing and how to get it; empty when it can run."""


def engines_of_scenes() -> Iterator[EngineState]:
    """Yield the state of the engines of scene detection."""
    from lib.video.scenes.analysis import choose

    try:
        choice = choose(settings().video.scenes)
        yield EngineState("scenes", choice.engine, choice.version)
    except UnavailableError as error:
        yield EngineState("scenes", "transnetv2", missing=str(error))


def engines_of_audio() -> Iterator[EngineState]:
    """Yield the state of the engines that find who speaks."""
    from lib.video.audio.engines import ENGINES, engine
    from lib.video.audio.options import Secrets

    options = settings().video.audio
    for name in ENGINES:
        module = engine(name)
        assert module is not None
        missing = module.unavailable(options, Secrets.from_environment()) or ""
        yield EngineState("audio", name, "" if missing else module.version(options), missing)


def engines_of_tracking() -> Iterator[EngineState]:
    """Yield the state of the engines that find faces."""
    from lib.video.tracking.engines.registry import ENGINES, choose

    options = settings().video.tracking
    for name in ENGINES:
        try:
            choice = choose(options.model_copy(update={"engines": (name,)}))
            yield EngineState("tracking", name, choice.version)
        except UnavailableError as error:
            yield EngineState("tracking", name, missing=str(error))


PHASES: Mapping[str, Callable[[], Iterator[EngineState]]] = {
    "scenes": engines_of_scenes,
    "audio": engines_of_audio,
    "tracking": engines_of_tracking,
}

if __name__ == "__main__":
    states = [asdict(state) for phase in sys.argv[1:] for state in PHASES[phase]()]
    sys.stdout.buffer.write(orjson.dumps(states))
