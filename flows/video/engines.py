"""Which engines of `video` can run here."""

from collections.abc import Callable

from blocks.secrets import audio_secrets
from lib.runs.engines import EngineState
from lib.video import doctor


def engines(say: Callable[[str], None] = lambda _line: None) -> list[EngineState]:
    """Ask every environment which engines it can run, with the keys and tokens that a run would have; takes seconds.

    What is wrong with a block is said.
    """
    return doctor.engines(audio_secrets(say))
