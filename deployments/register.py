"""What the catalogue says made true on a server: work pools, limits, deployments, schedules."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
    WorkPoolUpdate,
)
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.objects import ConcurrencyOptions, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from blocks import documents as blocks
from blocks.registry import BLOCKS
from deployments.catalogue import TAG, catalogue
from deployments.pools import register_pools
from deployments.prefect_file import DeploymentEntry, ScheduleEntry
from flows.limits import limits
from lib.settings import Settings, settings

PAGE = 200


@dataclass
class Changes:
    """What was done on a server, in words: `video/regie`, `limit regie-gpu`."""

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Each with what changed of it: `video/regie: description, parameters`."""
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Deployments that the catalogue does not have any more, and that were left."""


async def register(root: Path, *, prune: bool = False, config: Settings | None = None) -> Changes:
    """Make or update pools, limits, blocks and deployments on the server of PREFECT_API_URL, and say what changed.

    `root` is the folder of the virtual environments. What is right already is not written, and nothing is written side
    by side: SQLite refuses a writer that comes while another one writes. A schedule stays on or off as it was switched,
    unless a setting says so. With `prune`, deployments that the catalogue had once are removed.
    """
    config = config or settings()
    wanted = catalogue(config)
    changes = Changes()
    async with get_client() as client:
        await register_pools(client, root, config)
        await register_limits(client, config, changes)
        await blocks.register(client, BLOCKS.values())
        known = await _known(client)
        flows = {flow_id: (await client.read_flow(flow_id)).name for flow_id in {each.flow_id for each in known}}
        there = {f"{flows[each.flow_id]}/{each.name}": each for each in known}
        for entry in wanted.deployments:
            found = there.pop(entry.full_name, None)
            if found is None:
                await _make(client, entry)
                changes.made.append(entry.full_name)
            elif words := await _update(client, entry, found):
                changes.changed.append(f"{entry.full_name}: {', '.join(words)}")
        for name, left in sorted(there.items()):
            if prune:
                await client.delete_deployment(left.id)
            (changes.removed if prune else changes.left).append(name)
    return changes


async def register_limits(client: PrefectClient, config: Settings, changes: Changes) -> None:
    """Make or update the named limits of the heavy environments; their work pools begin no more runs than these let."""
    named = limits(config)
    for name, limit in named.items():
        try:
            there = await client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=limit))
            changes.made.append(f"limit {name}")
            continue
        if there.limit != limit:
            await client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(limit=limit))
            changes.changed.append(f"limit {name}: {there.limit} → {limit}")
    for pool in await client.read_work_pools(limit=PAGE):
        if pool.name in named and pool.concurrency_limit != named[pool.name]:
            await client.update_work_pool(pool.name, WorkPoolUpdate(concurrency_limit=named[pool.name]))


async def _known(client: PrefectClient) -> list[DeploymentResponse]:
    """Return every deployment with Régie's tag."""
    tagged = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    known: list[DeploymentResponse] = []
    while len(page := await client.read_deployments(deployment_filter=tagged, limit=PAGE, offset=len(known))) == PAGE:
        known += page
    return known + page


def _said(entry: DeploymentEntry) -> dict[str, Any]:
    """Return what a deployment says, as Prefect's API takes it; its schedules are told apart."""
    limit = entry.concurrency_limit
    return {
        "version": entry.version,
        "description": entry.description,
        "tags": list(entry.tags),
        "entrypoint": entry.entrypoint,
        "work_pool_name": entry.work_pool.name,
        "parameters": entry.parameters,
        "parameter_openapi_schema": entry.parameter_schema,
        "enforce_parameter_schema": entry.enforce_parameter_schema,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": {"collision_strategy": limit.collision_strategy} if limit else None,
        "pull_steps": [],
    }


def _is(there: DeploymentResponse) -> dict[str, Any]:
    """Return the same of a deployment that there is."""
    limit, options = there.global_concurrency_limit, there.concurrency_options
    same = ("version", "description", "tags", "entrypoint", "work_pool_name", "parameters", "pull_steps")
    return {
        **{name: getattr(there, name) for name in same},
        "parameter_openapi_schema": there.parameter_openapi_schema,
        "enforce_parameter_schema": there.enforce_parameter_schema,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": {"collision_strategy": options.collision_strategy.value} if options else None,
    }


async def _make(client: PrefectClient, entry: DeploymentEntry) -> None:
    said = _said(entry)
    if options := said["concurrency_options"]:
        said["concurrency_options"] = ConcurrencyOptions.model_validate(options)
    flow_id = await client.create_flow_from_name(entry.flow.name)
    schedules = [_new(schedule) for schedule in entry.schedules]
    await client.create_deployment(flow_id=flow_id, name=entry.name, schedules=schedules, **said)


async def _update(client: PrefectClient, entry: DeploymentEntry, there: DeploymentResponse) -> list[str]:
    """Write what has changed of a deployment, and say what that is."""
    said, known = _said(entry), _is(there)
    changed = {name: value for name, value in said.items() if value != known[name]}
    if changed:
        # These two have defaults, which Prefect would take where they are not given.
        kept = {name: said[name] for name in ("tags", "parameter_openapi_schema")}
        await client.update_deployment(there.id, DeploymentUpdate.model_validate({**kept, **changed}))
    schedules = {schedule.slug: schedule for schedule in there.schedules}
    told = [await _update_schedule(client, there.id, each, schedules.get(each.slug)) for each in entry.schedules]
    return [*changed, *(["schedule"] if any(told) else [])]


async def _update_schedule(
    client: PrefectClient, deployment: UUID, schedule: ScheduleEntry, there: DeploymentSchedule | None
) -> bool:
    """Write what has changed of a schedule, and say whether anything has; those that people added are left alone."""
    if there is None:
        await client.create_deployment_schedules(deployment, [_new(schedule)])
        return True
    changed: dict[str, Any] = {}
    times, known = schedule.times(), there.schedule
    # Not the whole: an interval begins when it was made.
    if any(getattr(times, name, None) != getattr(known, name, None) for name in ("cron", "interval", "timezone")):
        changed["schedule"] = times
    if schedule.active is not None and schedule.active != there.active:
        changed["active"] = schedule.active
    if changed:
        await client.update_deployment_schedule(deployment, there.id, **changed)
    return bool(changed)


def _new(schedule: ScheduleEntry) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        schedule=schedule.times(),
        active=bool(schedule.active),
        slug=schedule.slug,
    )
