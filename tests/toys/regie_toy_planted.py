"""Runs that stand in Prefect as if they were at work, though nothing works."""

from datetime import UTC, datetime
from typing import Any

from prefect import Task, flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate, LogCreate
from prefect.client.schemas.objects import StateType
from prefect.states import Running, State

from lib.runs.plan import Workflow
from lib.runs.progress import ProgressRecord
from lib.runs.view import TYPE


class Planted:
    """A run that stands in Prefect as if it were at work, for the test to go on with."""

    def __init__(
        self,
        client: SyncPrefectClient,
        plan: Workflow,
        subject: str,
        state: State[Any] | None = None,
        **parameters: Any,
    ) -> None:
        self.client = client
        self.plan = plan
        names = {"": plan.flow_name()} | {phase.key: plan.flow_name(phase) for phase in plan.phases}
        self.flows = {key: flow(name=name)(lambda: None) for key, name in names.items()}
        root = client.create_flow_run(
            self.flows[""], name=subject[:180], parameters={plan.subject: subject, **parameters}, state=Running()
        )
        self.id, self.subject = root.id, subject
        self.children: dict[str, Any] = {}
        self.artifacts: dict[str, Any] = {}
        if state:
            self.becomes(state)

    def begin(self, key: str, **record: Any) -> None:
        """Have a phase start, and say how far it is."""
        link = self.client.create_task_run(Task(lambda: None, name=key), flow_run_id=self.id, dynamic_key=key)
        child = self.client.create_flow_run(self.flows[key], parent_task_run_id=link.id, state=Running())
        self.children[key] = child.id
        artifact = ArtifactCreate(
            type="progress", data=0.0, metadata_=ProgressRecord(**record).as_metadata(), flow_run_id=child.id
        )
        self.artifacts[key] = self.client.create_artifact(artifact).id

    def say(self, key: str, **record: Any) -> None:
        """Have a phase say how far it is now."""
        self.client.update_artifact(
            self.artifacts[key], ArtifactUpdate(metadata_=ProgressRecord(**record).as_metadata())
        )

    def becomes(self, state: State[Any], key: str = "") -> None:
        """Set the state of a phase, or of the run."""
        self.client.set_flow_run_state(self.children[key] if key else self.id, state, force=True)

    def show(self, **document: Any) -> None:
        """Have the run show a document beside its phases."""
        if "" not in self.artifacts:
            new = ArtifactCreate(type=TYPE, data=document, flow_run_id=self.id)
            self.artifacts[""] = self.client.create_artifact(new).id
        self.client.update_artifact(self.artifacts[""], ArtifactUpdate(data=document))

    def log(self, message: str, level: int = 20) -> None:
        line = LogCreate(name="toy", level=level, message=message, timestamp=datetime.now(UTC), flow_run_id=self.id)
        self.client.create_logs([line])


def failed(message: str, name: str = "Failed") -> State[Any]:
    return State(type=StateType.FAILED, name=name, message=message)


def completed() -> State[Any]:
    return State(type=StateType.COMPLETED, name="Completed")
