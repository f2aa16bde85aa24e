"""The machine that the console runs on: load, memory, disk, GPUs, versions, and what is about to run out."""

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any

import psutil
from pydantic import BaseModel, Field

MEMORY_WARNING = 90.0
"""Percent of the memory in use from which on runs may be killed for the lack of it."""
DISK_WARNING = 90.0
"""Percent of a disk in use from which on a warning is due, unless plenty is free."""
DISK_PLENTY = 100 * 10**9
"""Bytes that are plenty: of a large disk a tenth may be more than anybody needs."""
SECONDS_KEPT = 1.0
"""How long a reading is given to everybody who asks."""


class Space(BaseModel):
    """Memory or a disk, in bytes."""

    total: int = Field(ge=0)
    used: int = Field(ge=0)
    free: int = Field(ge=0, description="What can still be had.")
    percent: float = Field(ge=0, le=100, description="Of what can be had, what is in use.")


class Disk(Space):
    """The disk of a folder."""

    folder: str


class Gpu(BaseModel):
    """A GPU as NVML sees it."""

    name: str
    percent: float | None = Field(default=None, ge=0, le=100, description="Of the last moments, how many it worked.")
    memory: Space
    celsius: int | None = None


class Resource(StrEnum):
    """What can run out."""

    MEMORY = "memory"
    DISK = "disk"
    GPU_MEMORY = "gpu memory"


class Shortage(BaseModel):
    """Something is about to run out."""

    resource: Resource
    name: str = Field(default="", description="Which one, where there are several: a folder, a GPU.")
    percent: float
    detail: str = Field(description="What may happen, and what to do.")


class Machine(BaseModel):
    """The machine at one moment."""

    cpu: float = Field(ge=0, le=100, description="Percent of all cores at work since the last reading.")
    cores: int = Field(ge=1)
    load: float = Field(ge=0, description="Processes that want to work, on average over the last minute.")
    memory: Space
    disk: Disk
    gpus: list[Gpu]
    warnings: list[Shortage]


class Versions(BaseModel):
    """What Régie consists of; empty where it is not installed."""

    regie: str
    python: str
    prefect: str
    ffmpeg: str


class Gauge:
    """Reads the machine, at most about once a second whoever asks; `folder` is where Régie keeps its things."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._times = psutil.cpu_times()
        self._cpu = 0.0
        self._last: tuple[float, Machine] | None = None

    def read(self) -> Machine:
        """Return the machine as it is now; it may wait for a slow disk."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > SECONDS_KEPT:
                self._last = (time.monotonic(), self._read())
            return self._last[1]

    def _read(self) -> Machine:
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(_existing(self._folder)))
        machine = Machine(
            cpu=self._busy(),
            cores=os.cpu_count() or 1,
            load=os.getloadavg()[0],
            memory=_space(memory.total, memory.available),
            disk=Disk(folder=str(self._folder), **_space(disk.used + disk.free, disk.free).model_dump()),
            gpus=list(_gpus()),
            warnings=[],
        )
        return machine.model_copy(update={"warnings": list(warnings(machine))})

    def _busy(self) -> float:
        """Return the share of the time since the last reading that the cores worked, in percent."""
        before, now = self._times, psutil.cpu_times()
        total = sum(now) - sum(before)
        idle = now.idle - before.idle + getattr(now, "iowait", 0.0) - getattr(before, "iowait", 0.0)
        if total > 0:
            self._times = now
            self._cpu = min(max(100.0 * (1 - idle / total), 0.0), 100.0)
        return self._cpu


def warnings(machine: Machine) -> Iterator[Shortage]:
    """Yield what is about to run out."""
    if machine.memory.percent >= MEMORY_WARNING:
        yield Shortage(
            resource=Resource.MEMORY,
            percent=machine.memory.percent,
            detail="The system may end a phase for the lack of memory. Close other programs, or run fewer at a time.",
        )
    if machine.disk.percent >= DISK_WARNING and machine.disk.free < DISK_PLENTY:
        yield Shortage(
            resource=Resource.DISK,
            name=machine.disk.folder,
            percent=machine.disk.percent,
            detail="Results may find no room. Free some space, or set `home` to a folder of another disk.",
        )
    for gpu in machine.gpus:
        if gpu.memory.percent >= MEMORY_WARNING:
            yield Shortage(
                resource=Resource.GPU_MEMORY,
                name=gpu.name,
                percent=gpu.memory.percent,
                detail="Engines may find no room on the GPU. End other programs that use it.",
            )


@cache
def versions() -> Versions:
    """Return what is installed; asks FFmpeg, once."""
    return Versions(
        regie=_installed("regie"), python=platform.python_version(), prefect=_installed("prefect"), ffmpeg=_ffmpeg()
    )


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _ffmpeg() -> str:
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_version())
    except (RuntimeError, OSError):
        return ""


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _space(total: int, free: int) -> Space:
    used = max(total - free, 0)
    return Space(total=total, used=used, free=free, percent=round(100 * used / total, 1) if total else 0.0)


def _gpus() -> Iterator[Gpu]:
    """Yield the GPUs of a machine that has some and their driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            yield _gpu(pynvml.nvmlDeviceGetHandleByIndex(index))
    except pynvml.NVMLError:
        return
    finally:
        pynvml.nvmlShutdown()


def _gpu(handle: Any) -> Gpu:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    gpu = Gpu(name=pynvml.nvmlDeviceGetName(handle), memory=_space(int(memory.total), int(memory.free)))
    # Not every GPU tells these: one that is split does not say how busy it is.
    with contextlib.suppress(pynvml.NVMLError):
        gpu.percent = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    with contextlib.suppress(pynvml.NVMLError):
        gpu.celsius = int(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    return gpu
