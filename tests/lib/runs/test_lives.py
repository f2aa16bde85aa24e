"""Runs lived through from their start to their end, as an orchestrator leads them, and looked at all the while."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.runs.past import PastPhase, PastRun
from lib.runs.plan import Workflow, hindrance, ready
from lib.runs.progress import ProgressRecord
from lib.runs.status import Observed, RunState, RunStatus, derive

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENDS = [RunState.COMPLETED, RunState.COMPLETED, RunState.PARTIAL, RunState.FAILED, RunState.CRASHED, RunState.CANCELLED]
SIZES = st.sampled_from([0.0, 0.0, 1.0, 1e-6, 250.0, 3e12])
SECONDS = st.floats(0, 1e6)


@st.composite
def past_runs(draw: st.DrawFn, workflow: Workflow) -> PastRun:
    phases = {}
    for phase in workflow.phases:
        if draw(st.booleans()):
            work = draw(SIZES)
            worked = work * draw(st.sampled_from([0.0, 0.5, 1.0]))
            phases[phase.key] = PastPhase(seconds=draw(SECONDS), waited=draw(SECONDS), work=work, worked=worked)
    number = draw(st.integers(1, 10**6))
    ended = BEGAN - timedelta(minutes=number)
    return PastRun(run_id=f"past-{number}", ended=ended, closing=draw(SECONDS), phases=phases)


@dataclass
class Life:
    """A run as its orchestrator leads it."""

    draw: st.DrawFn
    workflow: Workflow
    chosen: set[str]
    now: datetime = BEGAN
    state: RunState = RunState.RUNNING
    attempt: int = 1
    children: list[Observed] = field(default_factory=list)
    working: dict[str, Observed] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._prepare()

    def _prepare(self) -> None:
        self.settled = {phase.key for phase in self.workflow.phases if phase.key not in self.chosen}
        self.pending = [phase for phase in self.workflow.phases if phase.key in self.chosen]
        self.begun: set[str] = set()
        self.working, self.failed = {}, {}

    def _latest(self, key: str) -> RunState | None:
        made = [child for child in self.children if child.flow == f"work-{key}"]
        return made[-1].state if made else None

    @property
    def root(self) -> Observed:
        ended = self.now if self.state.final else None
        return Observed(
            run_id="root", flow="work", state=self.state, attempt=self.attempt,
            created=BEGAN, started=BEGAN, ended=ended,
        )  # fmt: skip

    def step(self) -> None:
        """Let one thing happen."""
        self.now += timedelta(seconds=self.draw(st.sampled_from([0.001, 1, 60, 86_400])))
        if self.state.final:
            self._resume()
            return
        things = [self._start] * bool(self._ready()) + [self._move, self._move, self._end, self._retry] * bool(
            self.working
        )
        if not self.pending and not self.working:
            self._conclude()
        elif self.draw(st.integers(0, 19)) == 0 or not things:
            self._stop()
        else:
            self.draw(st.sampled_from(things))()

    def _ready(self) -> list[str]:
        """Skip what is hindered, keep what an earlier attempt completed; return what can start."""
        for phase in ready(self.pending, self.settled):
            if hindrance(phase, self.failed):
                self.failed[phase.key] = "was skipped"
            elif self._latest(phase.key) is not RunState.COMPLETED or not self.begun.isdisjoint(phase.after):
                continue
            self.pending.remove(phase)
            self.settled.add(phase.key)
            return self._ready()
        return [phase.key for phase in ready(self.pending, self.settled)]

    def _start(self) -> None:
        key = self.draw(st.sampled_from(self._ready()))
        self.pending = [phase for phase in self.pending if phase.key != key]
        self._create(key)

    def _create(self, key: str) -> None:
        run_id, parent = f"{len(self.children)}", self.draw(st.sampled_from(["link", f"link-{self.now}"]))
        state = self.draw(st.sampled_from([RunState.PENDING, RunState.RUNNING]))
        started = self.now if state is RunState.RUNNING else None
        child = Observed(
            run_id=run_id, flow=f"work-{key}", parent=parent, state=state, created=self.now, started=started,
            of_attempt=self.attempt,
        )  # fmt: skip
        self.children.append(child)
        self.begun.add(key)
        self.working[key] = child

    def _replace(self, key: str, **changes: object) -> None:
        was = self.working[key]
        now = self.working[key] = was.model_copy(update=changes)
        self.children[self.children.index(was)] = now

    def _some(self) -> str:
        return self.draw(st.sampled_from(sorted(self.working)))

    def _move(self) -> None:
        key = self._some()
        child = self.working[key]
        if child.state is RunState.PENDING:
            self._replace(key, state=RunState.RUNNING, started=self.now)
            return
        record = child.progress or ProgressRecord(total=2, work=self.draw(SIZES))
        percent = min(record.percent + self.draw(st.sampled_from([0.0, 0.01, 30.0, 100.0])), 100.0)
        worked = record.work * percent / 100 * self.draw(st.sampled_from([0, 1]))
        self._replace(
            key,
            progress=ProgressRecord(total=2, percent=percent, work=record.work, worked=worked, item="film.mp4 1/2"),
        )

    def _end(self) -> None:
        key = self._some()
        state = self.draw(st.sampled_from(ENDS))
        self._replace(key, state=state, started=self.working[key].started or self.now, ended=self.now, message="words")
        del self.working[key]
        self.settled.add(key)
        if state not in {RunState.COMPLETED, RunState.PARTIAL}:
            self.failed[key] = state.value

    def _retry(self) -> None:
        """A phase fails and is tried again before anything else takes note."""
        key = self._some()
        self._replace(key, state=self.draw(st.sampled_from(ENDS[2:])), ended=self.now, message="words")
        self.now += timedelta(milliseconds=1)
        self._create(key)

    def _conclude(self) -> None:
        well = all(self._latest(key) is RunState.COMPLETED for key in self.chosen)
        self.state = RunState.COMPLETED if well else RunState.FAILED

    def _stop(self) -> None:
        self.state = self.draw(st.sampled_from([RunState.CANCELLED, RunState.CRASHED]))
        for key in list(self.working):
            if self.draw(st.booleans()):
                self._replace(key, state=self.state, ended=self.now)
                del self.working[key]

    def _resume(self) -> None:
        if self.state is RunState.COMPLETED:
            return
        for key in list(self.working):
            self._replace(key, state=RunState.CRASHED, ended=self.now)
        self.now += timedelta(seconds=1)
        self.state, self.attempt = RunState.RUNNING, self.attempt + 1
        self._prepare()


@settings(max_examples=150, deadline=None)
@given(workflow=..., data=st.data())
def test_a_run_is_told_truly_at_every_look(workflow: Workflow, data: st.DataObject) -> None:
    keys = [phase.key for phase in workflow.phases]
    chosen = data.draw(st.just(set(keys)) | st.sets(st.sampled_from(keys), min_size=1))
    past = data.draw(st.lists(past_runs(workflow), max_size=4))
    life = Life(data.draw, workflow, chosen)
    before: RunStatus | None = None
    for _ in range(data.draw(st.integers(1, 40))):
        life.step()
        looked = life.children
        status = derive(workflow, life.root, looked, life.now, chosen=chosen, past=past)
        shuffled = random.Random(0).sample(looked, len(looked))
        assert derive(workflow, life.root, shuffled, life.now, chosen=chosen, past=past) == status
        look_at(status, before, life)
        before = status


def look_at(status: RunStatus, before: RunStatus | None, life: Life) -> None:
    """Everything that holds of a run at any time."""
    assert 0 <= status.progress <= 100
    assert (status.progress == 100) is (status.state is RunState.COMPLETED)
    assert status.attempt == life.attempt
    if before and before.attempt == status.attempt:
        assert status.progress >= before.progress - 1e-9, "progress went back"
    assert sum(status.counts.values()) == len(status.phases) == len(life.workflow.phases), "a phase counts once"
    assert status.estimated_end is None or status.estimated_end >= life.now
    assert (status.estimated_end is None) is (status.basis == "")
    if status.state.final:
        assert status.estimated_end is None
    done = {RunState.COMPLETED, RunState.PARTIAL} & status.counts.keys()
    if life.state is RunState.FAILED:
        assert status.state is (RunState.PARTIAL if done else RunState.FAILED)
    else:
        assert status.state is life.state
    for phase in status.phases:
        made = [child for child in life.children if child.flow == f"work-{phase.key}"]
        assert phase.attempt == len(made)
        if phase.key in life.working and not status.state.final:
            assert phase.run_id == made[-1].run_id, "the latest try counts"
        if phase.state is RunState.SKIPPED:
            assert phase.error
            assert phase.key not in life.working
