import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import strategies as st

from lib.runs.plan import Phase, Workflow


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Any plan that can be declared, of up to eight phases."""
    numbers = sorted(draw(st.sets(st.integers(-3, 20), min_size=1, max_size=8)))
    phases: list[Phase] = []
    for number in numbers:
        earlier = [phase.key for phase in phases]
        after = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        needs = draw(st.lists(st.sampled_from(after), unique=True)) if after else []
        weight = draw(st.floats(0.01, 1000))
        name = f"Phase {number}"
        phases.append(Phase(number, f"p{number}", name, "m:f", "base", tuple(after), tuple(needs), weight))
    return Workflow("work", "Work", "m:work", tuple(phases))


st.register_type_strategy(Workflow, workflows())


@pytest.fixture
def chain() -> Callable[[int], Workflow]:
    """Make a workflow of so many phases, each of which needs the one before it."""

    def make(length: int) -> Workflow:
        phases = []
        for n in range(1, length + 1):
            before = (f"p{n - 1}",) if n > 1 else ()
            phases.append(Phase(n, f"p{n}", f"Phase {n}", "m:f", "base", after=before, needs=before))
        return Workflow("work", "Work", "m:work", tuple(phases))

    return make


@pytest.fixture(scope="session")
def filling(prefect_server: None) -> ModuleType:
    """What writes runs into the database of the tests' server (`filling.database`), as the benchmark of R6 does."""
    from prefect.settings import PREFECT_SERVER_DATABASE_CONNECTION_URL
    from sqlalchemy.orm import configure_mappers

    folder = str(Path(__file__).resolve().parents[3] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        import filling
    finally:
        sys.path.remove(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's about Prefect's own tables
        configure_mappers()
    filling.database = PREFECT_SERVER_DATABASE_CONNECTION_URL.value()
    return filling
