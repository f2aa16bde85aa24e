"""The catalogue of deployments, made from the declared workflows."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.utilities.callables import parameter_schema

from deployments.pools import pool_name, register_pools
from flows.orchestration import load_flow
from lib.runs.control import DEPLOYMENT
from lib.workflows import workflows


async def register(root: Path) -> None:
    """Make or update the work pools and the deployments of every workflow on the server that PREFECT_API_URL names.

    `root` is the folder of the virtual environments. What is right already is not written, and nothing is written side
    by side: SQLite refuses a writer that comes while another one writes.
    """
    async with get_client() as client:
        await register_pools(client, root)
        known = {deployment.entrypoint: deployment.version for deployment in await client.read_deployments()}
        for workflow in workflows().values():
            await _deploy(client, workflow.flow, workflow.environment, known)
            for phase in workflow.phases:
                await _deploy(client, phase.flow, phase.environment, known)


async def _deploy(
    client: PrefectClient, entrypoint: str, environment: str, known: Mapping[str | None, str | None]
) -> None:
    """Make or update the deployment of a flow; its version is the digest of all that it says."""
    flow = load_flow(entrypoint)
    said: dict[str, Any] = {
        "entrypoint": entrypoint.replace(":", "."),
        "work_pool_name": pool_name(environment),
        "description": (flow.description or "").partition("\n\n")[0],
        "tags": ["regie"],
        "parameter_openapi_schema": parameter_schema(flow).model_dump_for_openapi(),
        "enforce_parameter_schema": True,
    }
    version = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
    if known.get(said["entrypoint"]) == version:
        return
    flow_id = await client.create_flow_from_name(flow.name)
    await client.create_deployment(flow_id=flow_id, name=DEPLOYMENT, version=version, **said)
