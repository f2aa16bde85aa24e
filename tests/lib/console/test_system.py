"""The machine as the console sees it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.console.system import (
    DISK_PLENTY,
    Disk,
    Gauge,
    Gpu,
    Machine,
    Resource,
    Space,
    versions,
    warnings,
)


def space(percent: float, total: int = 10**11) -> Space:
    used = int(total * percent / 100)
    return Space(total=total, used=used, free=total - used, percent=percent)


def machine(memory: Space, disk: Space, *gpus: Space) -> Machine:
    return Machine(
        cpu=0,
        cores=1,
        load=0,
        memory=memory,
        disk=Disk(folder="/home/studio/.regie", **disk.model_dump()),
        gpus=[Gpu(name=f"GPU {number}", memory=each) for number, each in enumerate(gpus)],
        warnings=[],
    )


def test_this_machine_is_read(tmp_path: Path) -> None:
    gauge = Gauge(tmp_path / "not" / "made" / "yet")
    read = gauge.read()
    assert read.cores >= 1
    for each in (read.memory, read.disk, *(gpu.memory for gpu in read.gpus)):
        assert each.total > 0
        assert each.used + each.free == each.total
        assert each.percent == pytest.approx(100 * each.used / each.total, abs=0.1)
    assert read.disk.folder == str(tmp_path / "not" / "made" / "yet")


def test_who_asks_at_the_same_time_gets_the_same_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge(tmp_path)
    first = gauge.read()
    assert gauge.read() is first
    monkeypatch.setattr("lib.console.system.SECONDS_KEPT", -1.0)
    assert gauge.read() is not first


def test_the_load_of_the_cores_is_that_between_two_readings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.console.system.SECONDS_KEPT", -1.0)
    gauge = Gauge(tmp_path)
    for _ in range(5):
        sum(range(300_000))
        assert 0 <= gauge.read().cpu <= 100


@given(memory=st.floats(0, 100), disk=st.floats(0, 100), gpu=st.floats(0, 100))
def test_what_is_about_to_run_out_is_said_and_nothing_else(memory: float, disk: float, gpu: float) -> None:
    found = {each.resource for each in warnings(machine(space(memory), space(disk), space(gpu)))}
    expected = {
        resource
        for resource, percent in ((Resource.MEMORY, memory), (Resource.DISK, disk), (Resource.GPU_MEMORY, gpu))
        if percent >= 90
    }
    assert found == expected


def test_a_tenth_of_a_large_disk_is_plenty() -> None:
    assert not list(warnings(machine(space(0), space(91, total=20 * DISK_PLENTY))))
    assert list(warnings(machine(space(0), space(96, total=20 * DISK_PLENTY))))


def test_a_warning_names_what_it_is_about_and_what_to_do() -> None:
    disk, gpu = warnings(machine(space(0), space(99), space(0), space(95)))
    assert (disk.name, disk.percent) == ("/home/studio/.regie", 99)
    assert "home" in disk.detail
    assert (gpu.name, gpu.percent) == ("GPU 1", 95)


def test_what_is_installed_is_known() -> None:
    known = versions()
    assert known.python.startswith("3.11.")
    assert known.prefect.startswith("3.")
    assert known.regie
    assert known.ffmpeg
