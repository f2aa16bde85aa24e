"""Progress of a phase, written to an artifact of its own run at most twice a second."""

import threading
from collections.abc import Mapping
from typing import Self
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from lib.progress import Progress
from lib.runs.progress import ProgressRecord, Throttle
from lib.runs.report import Item, ItemState, in_words, sum_counts

SECONDS_BETWEEN_WRITES = 0.5


class PhaseProgress:
    """The progress of the flow run that it is made in.

    `sizes` is the work of each item, in any one unit (frames, bytes): a phase's percentage is the share of that work.
    A server that does not answer costs progress, never the work.
    """

    def __init__(self, sizes: Mapping[str, float]) -> None:
        context = FlowRunContext.get()
        if context is None or context.flow_run is None:
            raise RuntimeError("PhaseProgress is made inside a flow run")
        self._flow_run_id = context.flow_run.id
        self._sizes = dict(sizes)
        self._ended: dict[str, Item] = {}
        self._shares: dict[str, float] = {}
        self._throttle = Throttle(SECONDS_BETWEEN_WRITES)
        self._lock = threading.Lock()
        self._client: SyncPrefectClient = get_client(sync_client=True)
        self._artifact: UUID | None = None

    def __enter__(self) -> Self:
        self._client.__enter__()
        self._write("")
        return self

    def __exit__(self, *exc: object) -> None:
        self._write("")
        self._client.__exit__(None, None, None)

    def of(self, subject: str) -> Progress:
        """Return the callback that tells how far the work on one item is."""

        def tell(done: int, total: int, item: str = "") -> None:
            self._shares[subject] = min(done / total, 1.0) if total else 0.0
            if self._throttle():
                self._write(f"{item or subject} {done}/{total}")

        return tell

    def ended(self, item: Item) -> None:
        """Count an item that came to its end."""
        self._ended[item.subject] = item
        if self._throttle():
            self._write("")

    def record(self, current: str) -> ProgressRecord:
        """Return the figures as they stand."""
        items = list(self._ended.values())
        work = sum(self._sizes.values())
        finished = sum(self._sizes.get(subject, 0) for subject in self._ended)
        running = sum(
            self._sizes.get(subject, 0) * share for subject, share in self._shares.items() if subject not in self._ended
        )
        return ProgressRecord(
            done=sum(item.state in {ItemState.DONE, ItemState.KEPT} for item in items),
            total=len(self._sizes),
            failed=sum(item.state is ItemState.FAILED for item in items),
            skipped=sum(item.state is ItemState.SKIPPED for item in items),
            percent=round(100 * (finished + running) / work, 2) if work else 100.0 * bool(items),
            item=current,
            engine=", ".join(dict.fromkeys(item.engine for item in items if item.engine)),
            figures=in_words(sum_counts(item.counts for item in items)),
        )

    def _write(self, current: str) -> None:
        record = self.record(current)
        values = {"data": record.percent, "description": record.sentence(), "metadata_": record.as_metadata()}
        with self._lock:
            try:
                if self._artifact is None:
                    artifact = ArtifactCreate(type="progress", flow_run_id=self._flow_run_id, **values)
                    self._artifact = self._client.create_artifact(artifact).id
                else:
                    self._client.update_artifact(self._artifact, ArtifactUpdate(**values))
            except Exception as error:  # noqa: BLE001  # a server in trouble must not end hours of work
                get_run_logger().debug("Progress could not be written: %s", error)
