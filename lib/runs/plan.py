"""What a workflow is: its phases, declared once.

From a declaration come the subflow calls, the deployments, the pending phases of a status and the table in the
documentation.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib.runs.schedule import Schedule


class PlanError(ValueError):
    """A declaration that contradicts itself, or a selection of phases that does not exist."""


@dataclass(frozen=True)
class Phase:
    """A numbered part of a workflow: one subflow."""

    number: int
    key: str
    name: str
    flow: str
    """Where the phase's flow is: `package.module:function`."""
    environment: str
    """The set of packages that the phase needs."""
    after: tuple[str, ...] = ()
    """Keys of the phases that must have ended before this one starts, well or not."""
    needs: tuple[str, ...] = ()
    """Keys of the phases (a part of `after`) without whose results this one has nothing to work on: it is skipped when
    one of them fails altogether."""
    weight: float = 1.0
    """Share of a run's duration that the phase is thought to take, where there is no past to measure it by."""


@dataclass(frozen=True)
class Workflow:
    """An orchestrator flow and the phases that it runs, in order of their numbers."""

    key: str
    name: str
    flow: str
    """Where the orchestrator's flow is: `package.module:function`."""
    phases: tuple[Phase, ...]
    environment: str = "base"
    subject: str = "source"
    """The parameter that says what a run is about: a path or an address, whose last part names the run."""
    engines: str = ""
    """What tells which engines of the phases can run here: `package.module:function` (see lib.runs.engines)."""
    items: str = ""
    """What finds the items of a run for people to look at: `package.module:function` (see lib.runs.items)."""
    defaults: str = ""
    """What gives the parameters of a run that is started with none: `package.module:function`, of the settings."""
    view: str = ""
    """What its runs show beside their phases (see lib.runs.view): the kind of view that the console has a page for."""
    schedule: Schedule | None = None
    """When it would run by itself, once that is switched on; a run never begins while the one before goes on."""

    def __post_init__(self) -> None:
        known: set[str] = set()
        for phase in self.phases:
            if phase.key in known:
                raise PlanError(f"{self.key}: two phases have the key {phase.key!r}")
            for other in (*phase.after, *phase.needs):
                if other not in known:
                    raise PlanError(
                        f"{self.key}: phase {phase.key!r} comes after {other!r}, which is not declared before it"
                    )
            if stray := set(phase.needs) - set(phase.after):
                raise PlanError(f"{self.key}: phase {phase.key!r} needs {sorted(stray)} without coming after them")
            known.add(phase.key)
        if not self.phases:
            raise PlanError(f"{self.key} declares no phase")
        if [phase.number for phase in self.phases] != sorted({phase.number for phase in self.phases}):
            raise PlanError(f"{self.key}: phases are declared in the order of their numbers, each number once")

    def phase(self, key: str) -> Phase:
        """Return the phase with this key; PlanError when there is none."""
        for phase in self.phases:
            if phase.key == key:
                return phase
        raise PlanError(f"{self.key} has no phase {key!r}")

    def flow_name(self, phase: Phase | None = None) -> str:
        """Return Prefect's name of the orchestrator's flow, or of a phase's."""
        return f"{self.key}-{phase.key}" if phase else self.key

    def select(
        self, only: Collection[int] = (), first: int | None = None, last: int | None = None
    ) -> tuple[Phase, ...]:
        """Return the phases to run: those numbered in `only`, or from number `first` to number `last`, both included.

        With nothing given, all of them. PlanError names a number that is not in the plan.
        """
        if only and (first is not None or last is not None):
            raise PlanError("phases are chosen either one by one (only) or as a range (from, to), not both")
        numbers = [phase.number for phase in self.phases]
        for number in (*only, *(n for n in (first, last) if n is not None)):
            if number not in numbers:
                raise PlanError(f"{self.key} has no phase {number}: its phases are {self.listing()}")
        low = numbers[0] if first is None else first
        high = numbers[-1] if last is None else last
        chosen = tuple(p for p in self.phases if (p.number in only if only else low <= p.number <= high))
        if not chosen:
            raise PlanError(f"from {low} to {high} there is no phase: the first number is greater than the last")
        return chosen

    def listing(self) -> str:
        """Return the phases in words: `1 extract, 2 convert`."""
        return ", ".join(f"{phase.number} {phase.key}" for phase in self.phases)


def environments_of(workflows: Iterable[Workflow]) -> list[str]:
    """Return the environments that these workflows need, each once, the orchestrators' own first."""
    return list(dict.fromkeys(key for w in workflows for key in (w.environment, *(p.environment for p in w.phases))))


def ready(pending: Sequence[Phase], ended: Collection[str]) -> list[Phase]:
    """Return the phases that may start now: those whose every predecessor has ended."""
    return [phase for phase in pending if all(key in ended for key in phase.after)]


def hindrance(phase: Phase, failed: Mapping[str, str]) -> str | None:
    """Say why a phase cannot run: one that it needs is in `failed` (key → what happened to it); None when it can."""
    for key in phase.needs:
        if key in failed:
            return f"needs {key}, which {failed[key]}"
    return None
