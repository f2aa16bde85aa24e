"""The engines that find out who speaks when. A new one is a module here and a line in `ENGINES`."""

from importlib import import_module
from typing import Protocol, cast

from lib.progress import Progress
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.segments import Segment
from lib.video.audio.sound import Sound

ENGINES = {
    "pyannote": "lib.video.audio.engines.pyannote",
    "lemonfox": "lib.video.audio.engines.lemonfox",
    "embedded": "lib.video.audio.engines.embedded",
}
"""Module of each engine by its name. Importing one imports none of its packages."""


class Engine(Protocol):
    """The functions of an engine's module."""

    def version(self, options: AudioOptions) -> str:
        """Return what, beside the options, decides the result: packages and models. Only asked when it can run."""

    def unavailable(self, options: AudioOptions, secrets: Secrets) -> str | None:
        """Say what is missing and how to get it, importing no package of the engine; None when it can run."""

    def diarize(self, sound: Sound, options: AudioOptions, secrets: Secrets, progress: Progress) -> list[Segment]:
        """Return who speaks when, as found: neither smoothed nor relabelled. Any exception means that it could not."""


def engine(name: str) -> Engine | None:
    """Return an engine by its name; None when there is none of that name."""
    module = ENGINES.get(name)
    return cast(Engine, import_module(module)) if module else None
