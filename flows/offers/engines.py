"""Which engines of `offers` can run here."""

from collections.abc import Callable

from blocks.language_model import model_secrets
from lib.offers.analyse.analysis import ENGINES, missing, version
from lib.runs.engines import EngineState
from lib.settings import settings

PHASE = "analyse"


def engines(say: Callable[[str], None] = lambda _line: None) -> list[EngineState]:
    """Say which engines can analyse offers, with the key that a run would have.

    What is wrong with a block is said.
    """
    options, secrets = settings().offers.analyse, model_secrets(say)
    states = []
    for name in ENGINES:
        lacks = missing(name, options, secrets)
        states.append(EngineState(PHASE, name, "" if lacks else version(name, options, secrets), lacks))
    return states
