"""Which engines there are, which one would run, and how it is loaded."""

import importlib
from typing import Protocol, cast

from lib.errors import UnavailableError
from lib.video.analysis import Choice
from lib.video.tracking.faces import FaceEngine
from lib.video.tracking.options import TrackingOptions

ENGINES = {
    "mediapipe_landmarker": "lib.video.tracking.engines.mediapipe_landmarker",
    "mediapipe_mesh": "lib.video.tracking.engines.mediapipe_mesh",
}
"""Modules by engine; each has the functions of `EngineModule`."""
FAMILIES = {"mediapipe": ("mediapipe_landmarker", "mediapipe_mesh")}
"""Names that stand for several engines, in this order."""


class EngineModule(Protocol):
    """The functions of an engine's module; importing it is cheap."""

    def version(self, options: TrackingOptions) -> str:
        """Return the version of package and model, importing neither; raises UnavailableError when one is missing."""

    def load(self, options: TrackingOptions) -> FaceEngine:
        """Load the engine."""


def choose(options: TrackingOptions) -> Choice:
    """Return the first engine of the chain that can run here, and what was wrong with those before it.

    Raises UnavailableError, with what is missing for each, when none can.
    """
    refused: list[str] = []
    for wanted in options.engines:
        for name in FAMILIES.get(wanted, (wanted,)):
            try:
                version = _module(name).version(options)
            except UnavailableError as error:
                refused.append(f"{name}: {error}")
                continue
            reason = " ".join([*refused, f"So {name}."]) if refused else "the first engine of the chain"
            return Choice(name, version, reason)
    raise UnavailableError("No engine of tracking can run here. " + " ".join(refused))


def load(name: str, options: TrackingOptions) -> FaceEngine:
    """Load an engine; raises UnavailableError when it cannot run here."""
    module = _module(name)
    module.version(options)
    return module.load(options)


def _module(name: str) -> EngineModule:
    if name not in ENGINES:
        known = ", ".join([*FAMILIES, *ENGINES])
        raise UnavailableError(f"There is no engine of that name in this version of Régie; name one of: {known}.")
    return cast(EngineModule, importlib.import_module(ENGINES[name]))
