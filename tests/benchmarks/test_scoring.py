"""How well the embedded scorer of offers agrees with the labels given by hand must not get worse."""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FLOORS = tomllib.loads((BENCHMARKS / "floors.toml").read_text())["scoring"]


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    """The benchmark, imported as it is when it is run."""
    sys.path.insert(0, str(BENCHMARKS))
    import scoring

    yield scoring
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def rows(benchmark: ModuleType) -> dict[str, Any]:
    scored, _ = benchmark.score()
    return {row["profile"]: row for row in benchmark.agreement(scored)}


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_scores_agree_with_labels(rows: dict[str, Any], name: str) -> None:
    assert rows[name]["offers"] == FLOORS[name]["offers"], "these are not the offers that the floor was measured on"
    assert rows[name]["correlation"] >= FLOORS[name]["correlation"]
    assert rows[name]["in_order"] >= FLOORS[name]["in_order"]


def test_ranks_that_are_equal_are_shared(benchmark: ModuleType) -> None:
    assert benchmark.ranks([3.0, 1.0, 3.0]) == [2.0, 0.5, 2.0]
