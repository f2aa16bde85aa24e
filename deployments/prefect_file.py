"""What `prefect.yaml` may say: a strict schema, since Prefect ignores unknown and misplaced keys without a word."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, field_validator, model_validator

from flows.orchestration import load_flow
from lib.errors import InputError
from lib.runs.schedule import TimeZone

HEADER = """\
# Every deployment of Régie, made by `regie catalogue --write` from the declared workflows: do not edit it by hand.
# `regie deploy` makes them on a server. So does, with REGIE_HOME set, `prefect deploy --all`; see docs/deployments.md.
"""


class Strict(BaseModel):
    """A part of the file, which has these keys and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkPool(Strict):
    """Where the runs of a deployment are executed."""

    name: str = Field(min_length=1)


class ConcurrencyLimit(Strict):
    """How many runs of a deployment may go on at the same time, and what becomes of one more."""

    limit: int = Field(ge=1)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]


class ScheduleEntry(Strict):
    """When a deployment's runs start by themselves.

    They have the deployment's parameters: Prefect's server forgets those of a schedule when that is switched on or off.
    """

    cron: str | None = None
    interval: float | None = Field(default=None, ge=1)
    timezone: TimeZone
    active: bool | None = None
    """None: as it was switched on the server, at first off; the file says that it is off."""
    slug: str = Field(min_length=1)

    @model_validator(mode="after")
    def _has_times(self) -> Self:
        if (self.cron is None) == (self.interval is None):
            raise ValueError("give cron or interval, one of both")
        self.times()
        return self

    @field_serializer("active")
    def _off_at_first(self, active: bool | None) -> bool:
        return bool(active)

    def times(self) -> CronSchedule | IntervalSchedule:
        """Return the schedule as Prefect's API takes it; ValueError for a cron line that is none."""
        if self.cron is not None:
            try:
                return CronSchedule(cron=self.cron, timezone=self.timezone)
            except ValidationError as error:
                raise ValueError(f"{self.cron!r} is no cron line: {error.errors()[0]['msg']}") from error
        return IntervalSchedule.model_validate({"interval": self.interval, "timezone": self.timezone})


class DeploymentEntry(Strict):
    """A deployment: a flow, its parameters, where and when it runs."""

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    description: str = Field(min_length=1)
    tags: tuple[str, ...]
    entrypoint: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    """`package.module.function`: imported, never read from a folder, so it holds in every environment and image."""
    work_pool: WorkPool
    parameters: dict[str, Any] = Field(default_factory=dict)
    enforce_parameter_schema: Literal[True] = True
    concurrency_limit: ConcurrencyLimit | None = None
    schedules: tuple[ScheduleEntry, ...] = ()

    @field_validator("entrypoint")
    @classmethod
    def _is_a_flow(cls, entrypoint: str) -> str:
        try:
            _flow(entrypoint)
        except (ImportError, AttributeError, TypeError) as error:
            raise ValueError(f"there is no flow {entrypoint}: {error}") from error
        return entrypoint

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        self._check(self.parameters)
        slugs = [schedule.slug for schedule in self.schedules]
        if len(set(slugs)) != len(slugs):
            raise ValueError("two schedules have the same slug")
        if self.schedules and self.concurrency_limit is None:
            raise ValueError("a deployment with a schedule has a concurrency_limit: its runs would overlap")
        return self

    def _check(self, parameters: dict[str, Any]) -> None:
        names = self.parameter_schema["properties"]
        if strange := sorted(parameters.keys() - names.keys()):
            raise ValueError(f"{self.flow.name} has no parameter {strange[0]!r}: it has {', '.join(names)}")
        for error in validate(parameters, _schema(self.entrypoint), ignore_required=True):
            place = ".".join(str(part) for part in error.absolute_path)
            raise ValueError(f"the parameter {place} does not fit {self.flow.name}: {error.message}")

    @property
    def flow(self) -> Flow[..., Any]:
        """The flow that is run."""
        return _flow(self.entrypoint)

    @property
    def full_name(self) -> str:
        """Prefect's name of the deployment: that of the flow and its own."""
        return f"{self.flow.name}/{self.name}"

    @property
    def parameter_schema(self) -> Mapping[str, Any]:
        """What the flow takes, as Prefect's pages draw a form from it."""
        return _schema(self.entrypoint)


class PrefectFile(Strict):
    """The whole file."""

    name: Literal["regie"] = "regie"
    prefect_version: str = Field(alias="prefect-version")
    pull: tuple[()] = ()
    """No steps: the code is installed wherever a worker is. Without the key Prefect would add one with a local path."""
    deployments: tuple[DeploymentEntry, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [each.full_name for each in self.deployments]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} is there twice")
        return self

    def dump(self) -> str:
        """Return the text of the file: always the same for the same deployments, in the order of the catalogue."""
        said = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        for each in said["deployments"]:
            for key in [key for key, value in each.items() if value in ([], {})]:
                del each[key]
        text: str = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)
        return HEADER + text


def read(path: Path) -> PrefectFile:
    """Read a file by the strict schema; InputError names each key that is wrong, with its line."""
    try:
        text = path.read_text()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. `regie catalogue --write` makes it.") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path.name} is no YAML: {error}") from error
    problems = [f"line {line}: {key} is there twice" for key, line in _twice(root)]
    if not problems:
        try:
            return PrefectFile.model_validate(said)
        except ValidationError as error:
            problems = [
                f"line {_line(root, each['loc'])}: {'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
                for each in error.errors()
            ]
    raise InputError(f"{path.name} is wrong:\n  " + "\n  ".join(problems))


def _flow(entrypoint: str) -> Flow[..., Any]:
    module, _, function = entrypoint.rpartition(".")
    return load_flow(f"{module}:{function}")


@cache
def _schema(entrypoint: str) -> dict[str, Any]:
    return parameter_schema(_flow(entrypoint)).model_dump_for_openapi()


def _line(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """Return the line of the key, or of the item of a list, that a place leads to; or of the last that is there."""
    line = 1
    for part in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
    return line


def _twice(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Return every key that its mapping has twice, which YAML takes the last of, and its line."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _twice(each)
