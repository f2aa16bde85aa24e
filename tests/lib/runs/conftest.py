from collections.abc import Callable

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
