"""Which engines of a workflow's phases can run on this machine; the workflow says how to find out."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.runs.plan import PlanError, Workflow


@dataclass(frozen=True)
class EngineState:
    """Whether an engine of a phase can run."""

    phase: str
    engine: str
    version: str = ""
    missing: str = ""
    """What is missing and how to get it; empty when it can run."""


def engines_of(workflow: Workflow, say: Callable[[str], None] = lambda _line: None) -> Sequence[EngineState]:
    """Ask which engines of a workflow can run; none when it names no function that knows.

    It may take many seconds; what is wrong with a key is said. Raises PlanError when what it names is not there.
    """
    if not workflow.engines:
        return ()
    module, _, name = workflow.engines.partition(":")
    try:
        ask = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise PlanError(f"{workflow.key}: there is no {workflow.engines} to ask for engines: {error}") from error
    states: Sequence[EngineState] = ask(say)
    return states
