"""GET /api/v1/system, /engines, /timings and /settings: what the console runs on, and how well."""

from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, SecretStr

from lib.console.context import Here
from lib.console.engines import Engines
from lib.console.system import Machine, Versions, versions
from lib.console.timings import RouteTiming

router = APIRouter(prefix="/api/v1", tags=["system"])


class System(BaseModel):
    """The machine and what is installed on it."""

    machine: Machine
    versions: Versions


class TimingList(BaseModel):
    """How long each route takes, of its last 500 requests."""

    items: list[RouteTiming]


class Setting(BaseModel):
    """A setting as it is; of a secret only whether there is one."""

    name: str
    value: Any


class SettingList(BaseModel):
    """Every setting, groups opened."""

    items: list[Setting]


@router.get("/system")
async def system(console: Here) -> System:
    """Tell load, memory, disk and GPUs, what is about to run out, and versions."""
    return System(machine=await to_thread.run_sync(console.gauge.read), versions=await to_thread.run_sync(versions))


@router.get("/engines")
async def engines(console: Here) -> Engines:
    """Tell which engines can run, as last asked for; ask again soon while `checked` is null."""
    return console.engines.known()


@router.get("/timings")
async def timings(console: Here) -> TimingList:
    """Tell how long the routes of this console take."""
    return TimingList(items=console.timings.rows())


@router.get("/settings")
async def settings(console: Here) -> SettingList:
    """List the settings as they are, without secrets."""
    return SettingList(items=list(_opened(console.settings)))


def _opened(model: BaseModel, prefix: str = "") -> Any:
    values = model.model_dump(mode="json")
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _opened(value, f"{prefix}{name}.")
        elif isinstance(value, SecretStr):
            yield Setting(name=prefix + name, value="(set)")
        else:
            yield Setting(name=prefix + name, value=values[name])
