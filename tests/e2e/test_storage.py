"""A run from a bucket to a bucket whose machine is lost in the middle is finished by another one."""

import json
import os
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import s3fs


@pytest.mark.long
def test_a_machine_with_nothing_on_its_disk_goes_on_where_one_was_lost(
    s3: str,
    regie_command: Path,
    regie_variables: dict[str, str],
    make_video: Callable[..., Path],
    tmp_path: Path,
) -> None:
    source, out = f"{s3}/rushes.zip", f"{s3}/out"
    with zipfile.ZipFile(tmp_path / "rushes.zip", "w") as packed:
        for name, seconds in (("a short one.mp4", 1), ("b long one.mp4", 60)):
            packed.write(make_video(tmp_path / name, seconds=seconds, size="320x180"), name)
    bucket = s3fs.S3FileSystem(use_listings_cache=False)
    bucket.put_file(str(tmp_path / "rushes.zip"), source)
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    command = [str(regie_command), "run", "video", source, "--out", out, "--to", "3", "--json"]

    def on(machine: str) -> dict[str, str]:
        return {**regie_variables, **aws, "REGIE_HOME": str(tmp_path / machine)}

    def cut() -> dict[str, Any]:
        book = f"{out}/.regie/outcomes/scenes.json"
        return json.loads(bucket.cat_file(book)) if bucket.exists(book) else {}

    def listed() -> dict[str, tuple[Any, ...]]:
        found = bucket.find(out, detail=True)
        return {name.partition("/out/")[2]: (info["ETag"], info["LastModified"]) for name, info in found.items()}

    with subprocess.Popen(command, env=on("one"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 300
        while len(cut()) != 1:
            assert first.poll() is None, "the first video was not seen to be done before the second"
            assert time.monotonic() < deadline
            time.sleep(0.1)
        parent = psutil.Process(first.pid)
        family = [parent, *parent.children(recursive=True)]
        for each in family:
            each.kill()
        psutil.wait_procs(family, timeout=10)
    before, done = listed(), cut()
    assert [item["state"] for item in done.values()] == ["done"]
    assert "projects/rushes/a short one_scenes.json" in before

    second = subprocess.run(command, env=on("two"), capture_output=True, text=True, timeout=500, check=False)

    assert second.returncode == 0, second.stdout + second.stderr
    after = listed()
    finished = [name for name in before if "a short one" in name]
    assert {name: after[name] for name in finished} == {name: before[name] for name in finished}, "not made again"
    assert cut().items() >= done.items()
    assert "projects/rushes/b long one_scenes.json" in after
    assert not [name for name in after if "held" in name or "regie-tmp" in name]
    [video] = [each for each in json.loads(second.stdout)["outputs"] if each["video"] == "b long one.mp4"]
    assert video["files"]["csv"] == f"{out}/projects/rushes/b long one.csv"

    third = subprocess.run(command, env=on("two"), capture_output=True, text=True, timeout=500, check=False)

    assert third.returncode == 0, third.stdout + third.stderr
    assert listed() == after, "a run with nothing to do writes nothing"
