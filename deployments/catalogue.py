"""The catalogue: every deployment that there is, made from the declared workflows and the settings."""

import importlib
import inspect
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deployments.pools import pool_name
from deployments.prefect_file import ConcurrencyLimit, DeploymentEntry, PrefectFile, ScheduleEntry, WorkPool
from flows.orchestration import load_flow
from lib.errors import InputError
from lib.runs.control import DEPLOYMENT
from lib.runs.plan import Phase, Workflow
from lib.runs.schedule import Schedule
from lib.settings import Settings
from lib.workflows import workflows

TAG = "regie"
"""Tag of every deployment of the catalogue: one with it that the catalogue has not is one that it had."""
SCHEDULED = "scheduled"
"""Name of the deployment of a workflow that runs by itself, and of its schedule.

It is another than the one that people start runs of: only runs by the schedule must not overlap.
"""
NO_OVERLAP = ConcurrencyLimit(limit=1, collision_strategy="CANCEL_NEW")
"""A run whose time comes while the one before goes on is left out: queued ones would pile up."""
HOME = "{{ $REGIE_HOME }}"
"""What Prefect's command line replaces by the variable, when it reads `prefect.yaml`."""


def catalogue(config: Settings) -> PrefectFile:
    """Return every deployment: of each workflow its orchestrator, by hand and by its schedule, and its phases.

    InputError when a workflow or a setting asks for something that cannot be.
    """
    known = workflows()
    if strange := sorted(config.schedules.keys() - known.keys()):
        raise InputError(f"There is no workflow {strange[0]!r} (setting schedules): there are {', '.join(known)}.")
    entries = [entry for workflow in known.values() for entry in _entries(workflow, config)]
    return PrefectFile.model_validate({"prefect-version": version("prefect"), "deployments": tuple(entries)})


def portable() -> Settings:
    """Return the settings that `prefect.yaml` is made from: the defaults, in a home that is known when it is read."""
    return Settings.model_construct(home=Path(HOME))


def _entries(workflow: Workflow, config: Settings) -> Iterator[DeploymentEntry]:
    defaults = _defaults(workflow, config)
    orchestrator = _entry(workflow, None, defaults)
    yield orchestrator
    schedule = _schedule(workflow, config)
    if schedule is not None:
        times, parameters = schedule
        yield _checked(
            workflow,
            {
                **dict(orchestrator),
                "name": SCHEDULED,
                "description": f"{orchestrator.description} By its schedule.",
                "tags": (*orchestrator.tags, SCHEDULED),
                "parameters": {**orchestrator.parameters, **parameters},
                "concurrency_limit": NO_OVERLAP,
                "schedules": (times,),
            },
        )
    for phase in workflow.phases:
        yield _entry(workflow, phase, defaults)


def _entry(workflow: Workflow, phase: Phase | None, defaults: Mapping[str, Any]) -> DeploymentEntry:
    part = phase or workflow
    flow = load_flow(part.flow)
    taken = inspect.signature(flow.fn).parameters
    return _checked(
        workflow,
        {
            "name": DEPLOYMENT,
            "version": version("regie"),
            "description": (flow.description or flow.name).partition("\n\n")[0].replace("\n", " "),
            "tags": (TAG, workflow.key, phase.key) if phase else (TAG, workflow.key),
            "entrypoint": part.flow.replace(":", "."),
            "work_pool": WorkPool(name=pool_name(part.environment)),
            "parameters": {name: value for name, value in defaults.items() if name in taken},
        },
    )


def _checked(workflow: Workflow, said: Mapping[str, Any]) -> DeploymentEntry:
    try:
        return DeploymentEntry.model_validate(said)
    except ValidationError as error:
        raise InputError(f"{workflow.name} ({said['name']}) cannot be deployed: {_words(error)}") from error


def _schedule(workflow: Workflow, config: Settings) -> tuple[ScheduleEntry, Mapping[str, Any]] | None:
    """Return when a workflow runs by itself and with which parameters, if it does."""
    asked = config.schedules.get(workflow.key)
    if asked is None and workflow.schedule is None:
        return None
    try:
        schedule = (asked or Schedule()).over(workflow.schedule)
        times = ScheduleEntry(
            cron=schedule.cron,
            interval=schedule.interval,
            timezone=schedule.timezone or "UTC",
            active=schedule.active,
            slug=SCHEDULED,
        )
    except ValidationError as error:
        raise InputError(f"schedules.{workflow.key} is wrong: {_words(error)}") from error
    except ValueError as error:
        raise InputError(f"schedules.{workflow.key} is wrong: {error}") from error
    return times, schedule.parameters


def _defaults(workflow: Workflow, config: Settings) -> Mapping[str, Any]:
    if not workflow.defaults:
        return {}
    module, _, name = workflow.defaults.partition(":")
    found: Mapping[str, Any] = getattr(importlib.import_module(module), name)(config)
    return found


def _words(error: ValidationError) -> str:
    return "; ".join(
        ": ".join(filter(None, [".".join(str(part) for part in each["loc"]), each["msg"]])) for each in error.errors()
    )
