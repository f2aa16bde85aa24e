"""The view of a run: a small document beside its phases, kept up to date while it works (see lib.runs.view)."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.logging import get_run_logger

from flows.stopping import own_run
from lib.runs.view import TYPE

SECONDS_BETWEEN_WRITES = 0.5
SECONDS_FOR_THE_LAST_WRITE = 5.0
"""How long the end of a run waits for a server that does not answer."""

Document = Mapping[str, Any]


@contextlib.contextmanager
def shown(document: Callable[[], Document]) -> Iterator[None]:
    """Keep the view of this flow run as `document` gives it, written at most twice a second and once more at the end.

    `document` is called in a thread of its own. A server in trouble costs the view, never the run.
    """
    view = _View(document)
    # In the context of the run, so that its client and its settings are found.
    writer = threading.Thread(target=contextvars.copy_context().run, args=(view.write_on,), daemon=True)
    writer.start()
    try:
        yield
    finally:
        view.over.set()
        writer.join(SECONDS_FOR_THE_LAST_WRITE)


class _View:
    def __init__(self, document: Callable[[], Document]) -> None:
        self.over = threading.Event()
        self._document = document
        self._run = own_run()
        self._logger = get_run_logger()

    def write_on(self) -> None:
        """Write the document whenever it has changed, until the run is over, and then once more."""
        artifact: UUID | None = None
        written: Document | None = None
        over = False
        with get_client(sync_client=True) as client:
            while not over:
                over = self.over.is_set()
                try:
                    document = self._document()
                    if document != written:
                        artifact = self._write(client, document, artifact)
                        written = document
                except Exception as error:  # noqa: BLE001  # see `shown`
                    self._logger.debug("The run's view could not be written: %s", error)
                self.over.wait(SECONDS_BETWEEN_WRITES)

    def _write(self, client: SyncPrefectClient, document: Document, artifact: UUID | None) -> UUID:
        if artifact is None:
            new = ArtifactCreate(type=TYPE, data=dict(document), flow_run_id=self._run)
            return client.create_artifact(new).id
        client.update_artifact(artifact, ArtifactUpdate(data=dict(document)))
        return artifact
