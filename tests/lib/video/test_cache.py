import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.video.cache import ResultCache

KEY = "ab" * 32
OTHER = "cd" * 32


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(tmp_path / "cache", 10**9)


@pytest.fixture
def outputs(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "project"
    folder.mkdir()
    paths = [folder / "one_audio.json", folder / "one.rttm"]
    paths[0].write_bytes(b'{"provenance": 1}' * 500)
    paths[1].write_bytes(b"")
    return paths


def elsewhere(tmp_path: Path, stem: str = "two") -> list[Path]:
    folder = tmp_path / "other"
    folder.mkdir(exist_ok=True)
    return [folder / f"{stem}_audio.json", folder / f"{stem}.rttm"]


def test_results_come_back_under_other_names(cache: ResultCache, outputs: list[Path], tmp_path: Path) -> None:
    targets = elsewhere(tmp_path)
    assert not cache.recall(KEY, targets)
    cache.remember(KEY, outputs)
    assert cache.recall(KEY, targets)
    assert [path.read_bytes() for path in targets] == [path.read_bytes() for path in outputs]
    assert (cache.hits, cache.misses) == (1, 1)
    assert cache.size() < 500, "compressed"
    assert sorted(path.name for path in targets[0].parent.iterdir()) == ["two.rttm", "two_audio.json"]


def test_files_can_be_adapted_before_they_are_placed(cache: ResultCache, outputs: list[Path], tmp_path: Path) -> None:
    cache.remember(KEY, outputs)
    targets = elsewhere(tmp_path)
    assert cache.recall(KEY, targets, lambda temporary, target: temporary.write_text(target.stem) and None)
    assert [path.read_text() for path in targets] == ["two_audio", "two"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone"])
def test_a_damaged_entry_is_a_miss_and_goes(
    cache: ResultCache, outputs: list[Path], tmp_path: Path, damage: str
) -> None:
    cache.remember(KEY, outputs)
    kept = next(cache.root.glob("*/*/0.zst"))
    content = bytearray(kept.read_bytes())
    if damage == "gone":
        kept.unlink()
    elif damage == "flip":
        content[-1] ^= 1
        kept.write_bytes(content)
    else:
        kept.write_bytes(content[: len(content) // 2 if damage == "cut" else 0])
    targets = elsewhere(tmp_path)
    for target in targets:
        target.write_text("old")
    assert not cache.recall(KEY, targets)
    assert [path.read_text() for path in targets] == ["old", "old"]
    assert len(list(targets[0].parent.iterdir())) == 2, "no temporary files"
    assert cache.size() == 0
    cache.remember(KEY, outputs)
    assert cache.recall(KEY, targets)


def test_an_entry_with_fewer_files_than_wanted_is_a_miss(
    cache: ResultCache, outputs: list[Path], tmp_path: Path
) -> None:
    cache.remember(KEY, outputs[:1])
    assert not cache.recall(KEY, elsewhere(tmp_path))


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path / "cache", 3500)
    source = tmp_path / "a.json"
    keys = [f"{number:02x}" * 32 for number in range(4)]
    for age, key in zip((300, 200, 100), keys, strict=False):
        source.write_bytes(os.urandom(1000))
        cache.remember(key, [source])
        entry = cache.root / key[:2] / key
        os.utime(entry, (entry.stat().st_mtime - age,) * 2)
    assert cache.recall(keys[0], [source]), "used now"
    cache.remember(keys[3], [source])
    assert cache.size() <= 3500
    assert [cache.recall(key, [source]) for key in keys] == [True, False, True, True]


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(os.urandom(2000))
    for limit in (0, 1000):
        cache = ResultCache(tmp_path / "cache", limit)
        cache.remember(KEY, [source])
        assert cache.size() == 0
        assert not cache.recall(KEY, [source])


def test_clear_forgets_everything(cache: ResultCache, outputs: list[Path], tmp_path: Path) -> None:
    cache.remember(KEY, outputs)
    cache.remember(OTHER, outputs)
    cache.clear()
    assert not cache.recall(KEY, elsewhere(tmp_path))
    assert (cache.size(), cache.hits, cache.misses) == (0, 0, 1)


@given(st.text(max_size=20))
def test_nothing_but_a_fingerprint_is_a_key(text: str) -> None:
    cache = ResultCache(Path("/nonexistent"), 1)
    if not (len(text) >= 16 and set(text) <= set("0123456789abcdef")):
        with pytest.raises(ValueError, match="fingerprint"):
            cache.recall(text, [])


def test_a_position_is_opened_as_a_temporary_file(cache: ResultCache, outputs: list[Path], tmp_path: Path) -> None:
    cache.remember(KEY, outputs)
    with cache.opened(KEY, 0, tmp_path) as path:
        assert path is not None
        assert path.read_bytes() == outputs[0].read_bytes()
    assert not path.exists()
    with cache.opened(OTHER, 0, tmp_path) as path:
        assert path is None


WRITER = """
import sys
from pathlib import Path
from lib.video.cache import ResultCache
folder = Path(sys.argv[1])
cache = ResultCache(folder / "cache", 10**9)
target = folder / f"{sys.argv[2]}.json"
source = folder / "source.json"
for round in range(40):
    cache.remember("ab" * 32, [source])
    if cache.recall("ab" * 32, [target]):
        assert target.read_bytes() == source.read_bytes()
    if round % 10 == 9:
        cache.clear()
"""


def test_several_processes_may_write_the_same(tmp_path: Path) -> None:
    (tmp_path / "source.json").write_bytes(os.urandom(300_000))
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(number)], cwd=Path(__file__).parents[3])
        for number in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert not list((tmp_path / "cache").glob(".*"))
