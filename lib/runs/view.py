"""What a run shows besides its phases: a small document, kept up to date while it works, an artifact of its own."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from lib.runs.server import PrefectClient, artifacts

TYPE = "view"
"""Type of the artifact: one per run."""


async def read_views(client: PrefectClient, runs: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the views of those runs that have one, as they are now, by the run's id; one call."""
    found: dict[UUID, Mapping[str, Any]] = {}
    for row in await artifacts(client, TYPE, runs):
        if row.flow_run_id is not None and isinstance(row.data, dict):
            found.setdefault(row.flow_run_id, row.data)
    return found
