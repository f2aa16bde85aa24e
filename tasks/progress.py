"""Progress of a phase, written to an artifact of its own run at most twice a second."""

import contextvars
import threading
from collections.abc import Mapping
from typing import Self
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from lib.progress import Progress
from lib.runs.progress import ProgressRecord
from lib.runs.report import Item, ItemState, in_words, sum_counts

SECONDS_BETWEEN_WRITES = 0.5
SECONDS_FOR_THE_LAST_WRITE = 5.0
"""How long the end of a phase waits for a server that does not answer."""


class PhaseProgress:
    """The progress of the flow run that it is made in.

    `sizes` is the work of each item, in any one unit (frames, bytes): a phase's percentage is the share of that work
    that is behind it, and never goes back. Figures are told from any thread and written by one of its own: a server
    that does not answer, for which Prefect's client tries again for a minute, costs progress, never the work.
    """

    def __init__(self, sizes: Mapping[str, float]) -> None:
        context = FlowRunContext.get()
        if context is None or context.flow_run is None:
            raise RuntimeError("PhaseProgress is made inside a flow run")
        self._flow_run_id = context.flow_run.id
        self._logger = get_run_logger()
        self._sizes = dict(sizes) if any(sizes.values()) else dict.fromkeys(sizes, 1.0)
        self._ended: dict[str, Item] = {}
        self._shares: dict[str, float] = {}
        self._current = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # In the context of the run, so that its client and its settings are found.
        self._writer = threading.Thread(target=contextvars.copy_context().run, args=(self._write_on,), daemon=True)

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._current = ""
        self._stop.set()
        self._writer.join(SECONDS_FOR_THE_LAST_WRITE)

    def of(self, subject: str) -> Progress:
        """Return the callback that tells how far the work on one item is."""

        def tell(done: int, total: int, item: str = "") -> None:
            share = min(max(done / total, 0.0), 1.0) if total > 0 else 0.0
            with self._lock:
                self._shares[subject] = max(self._shares.get(subject, 0.0), share)
                self._current = f"{item or subject} {done}/{total}"

        return tell

    def ended(self, item: Item) -> None:
        """Count an item that came to its end."""
        with self._lock:
            self._ended[item.subject] = item
            self._shares[item.subject] = 1.0
            self._current = ""

    def record(self) -> ProgressRecord:
        """Return the figures as they stand."""
        with self._lock:
            ended, shares, current = dict(self._ended), dict(self._shares), self._current
        items = list(ended.values())
        work = sum(self._sizes.values())
        reached = {subject: size * shares.get(subject, 0.0) for subject, size in self._sizes.items()}
        spared = sum(reached.get(subject, 0.0) for subject, item in ended.items() if not item.worked_on)
        return ProgressRecord(
            done=sum(item.state in {ItemState.DONE, ItemState.KEPT} for item in items),
            total=len(self._sizes),
            failed=sum(item.state is ItemState.FAILED for item in items),
            skipped=sum(item.state is ItemState.SKIPPED for item in items),
            percent=round(100 * sum(reached.values()) / work, 2) if work else 0.0,
            item=current,
            engine=", ".join(dict.fromkeys(item.engine for item in items if item.engine)),
            figures=in_words(sum_counts(item.counts for item in items)),
            work=round(work, 3),
            worked=round(max(sum(reached.values()) - spared, 0.0), 3),
        )

    def _write_on(self) -> None:
        """Write the figures whenever they have changed, until told to stop, and then once more."""
        artifact: UUID | None = None
        written: ProgressRecord | None = None
        stopping = False
        with get_client(sync_client=True) as client:
            while not stopping:
                stopping = self._stop.is_set()
                record = self.record()
                if record != written:
                    try:
                        artifact = self._write(client, record, artifact)
                        written = record
                    except Exception as error:  # noqa: BLE001  # a server in trouble must not end hours of work
                        self._logger.debug("Progress could not be written: %s", error)
                self._stop.wait(SECONDS_BETWEEN_WRITES)

    def _write(self, client: SyncPrefectClient, record: ProgressRecord, artifact: UUID | None) -> UUID:
        values = {"data": record.percent, "description": record.sentence(), "metadata_": record.as_metadata()}
        if artifact is None:
            new = ArtifactCreate(type="progress", flow_run_id=self._flow_run_id, **values)
            return client.create_artifact(new).id
        client.update_artifact(artifact, ArtifactUpdate(**values))
        return artifact
