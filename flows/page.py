"""The page of a run in the Prefect UI: an artifact of the orchestrator's run, kept up to date while it works."""

import time
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.logging import get_run_logger
from prefect.runtime import flow_run as runtime

from lib.runs.page import phases_markdown
from lib.runs.plan import Workflow
from lib.runs.reader import run_status

SECONDS_BETWEEN_WRITES = 3.0


class RunPage:
    """The page of the flow run that it is made in: its phases in order, with their progress.

    A server in trouble costs the page, never the run.
    """

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._run_id = str(runtime.get_id() or "")
        self._written = float("-inf")
        self._artifact: UUID | None = None

    def refresh(self) -> None:
        """Bring the page up to date, unless that was done a moment ago."""
        if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self, results: str = "") -> None:
        """Bring the page up to date; `results` come below the phases."""
        self._written = time.monotonic()
        try:
            with get_client(sync_client=True) as client:
                text = phases_markdown(run_status(self._run_id, {self._workflow.key: self._workflow})) + results
                if self._artifact is None:
                    key = f"{self._workflow.key}-{self._run_id}"
                    artifact = ArtifactCreate(
                        key=key,
                        type="markdown",
                        data=text,
                        description="Phases and results",
                        flow_run_id=UUID(self._run_id),
                    )
                    self._artifact = client.create_artifact(artifact).id
                else:
                    client.update_artifact(self._artifact, ArtifactUpdate(data=text))
        except Exception as error:  # noqa: BLE001  # see the class
            get_run_logger().debug("The run's page could not be written: %s", error)
