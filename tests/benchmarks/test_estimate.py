"""How good the estimated end is, on recorded runs, must not get worse."""

import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from lib.runs.progress import ProgressRecord
from lib.runs.status import Observed, RunState

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FLOORS = tomllib.loads((BENCHMARKS / "floors.toml").read_text())["estimate"]


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    """The benchmark, imported as it is when it is run."""
    sys.path.insert(0, str(BENCHMARKS))
    import estimate

    yield estimate
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_the_error_after_a_quarter_of_a_run_stays_under_its_limit(benchmark: ModuleType, name: str) -> None:
    found = benchmark.measure(BENCHMARKS / "histories" / f"{name}.jsonl.gz")
    assert found["runs"] == FLOORS[name]["recordings"], "these are not the recordings that the limit was measured on"
    [quarter] = [row for row in found["rows"] if (row["past"], row["at"]) == ("earlier", 0.25)]
    assert quarter["without"] == 0
    assert quarter["median"] <= FLOORS[name]["median_at_25"]


def test_a_recording_is_read_back_as_it_was_seen(benchmark: ModuleType, tmp_path: Path) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    root = Observed(run_id="r", flow="toy", state=RunState.RUNNING, started=noon)
    child = Observed(run_id="c", flow="toy-one", state=RunState.RUNNING, progress=ProgressRecord(done=1, work=2.5))
    ended = {"state": RunState.COMPLETED, "ended": noon + timedelta(seconds=2)}
    looks = [
        benchmark.Look(noon, root, ()),
        benchmark.Look(noon + timedelta(seconds=1), root, (child,)),
        benchmark.Look(noon + timedelta(seconds=2), root.model_copy(update=ended), (child.model_copy(update=ended),)),
    ]
    recording = benchmark.Recording("toy", "box", None, (0.1, 0.2), looks)
    path = tmp_path / "some.jsonl.gz"
    sys.modules["recordings"].write_recordings(path, [recording])
    [back] = benchmark.read_recordings(path)
    assert back.looks == looks
