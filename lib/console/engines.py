"""Which engines can run, asked in the background now and then: to ask means to start every environment's Python."""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Lock, Thread

from pydantic import BaseModel, Field

from lib.runs.engines import EngineState, engines_of
from lib.runs.plan import Workflow

logger = logging.getLogger("regie.console")

SECONDS_KEPT = 600.0
"""How long an answer stands: what can run changes when somebody installs something."""


class Engine(BaseModel):
    """Whether an engine can run."""

    workflow: str
    phase: str
    engine: str = Field(description="Empty when the phase's whole environment is missing.")
    can_run: bool
    version: str = ""
    reason: str = Field(default="", description="What is missing and how to get it.")


class Engines(BaseModel):
    """The engines of every workflow, as they were when last asked for."""

    checked: datetime | None = Field(default=None, description="When that was; null while it is asked the first time.")
    engines: list[Engine] = []


class EngineCheck:
    """Asks for engines at most every ten minutes, and only when somebody wants to know."""

    def __init__(self, workflows: Iterable[Workflow]) -> None:
        self._workflows = tuple(workflows)
        self._lock = Lock()
        self._known = Engines()
        self._asked = float("-inf")

    def known(self) -> Engines:
        """Return what is known, at once; what is too old, or not known yet, is asked for in the background."""
        with self._lock:
            if time.monotonic() - self._asked > SECONDS_KEPT:
                self._asked = time.monotonic()
                Thread(target=self._ask, name="engines", daemon=True).start()
            return self._known

    def _ask(self) -> None:
        engines: list[Engine] = []
        for workflow in self._workflows:
            try:
                engines += [_engine(workflow, state) for state in engines_of(workflow)]
            except Exception as error:
                logger.exception("The engines of %s cannot be asked for", workflow.key)
                reason = f"It cannot be asked ({error})."
                engines.append(Engine(workflow=workflow.key, phase="", engine="", can_run=False, reason=reason))
        with self._lock:
            self._known = Engines(checked=datetime.now(UTC), engines=engines)


def _engine(workflow: Workflow, state: EngineState) -> Engine:
    return Engine(
        workflow=workflow.key,
        phase=state.phase,
        engine=state.engine,
        can_run=not state.missing,
        version=state.version,
        reason=state.missing,
    )
