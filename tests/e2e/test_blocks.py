"""A key that is in a block is used by a run, and found nowhere afterwards."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks.registry import BLOCKS

from ..lib.video.audio.engines.conftest import KEY, Answer, Lemonfox

Regie = Callable[..., Any]
Set = Callable[..., subprocess.CompletedProcess[str]]


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def lemonfox() -> Iterator[Lemonfox]:
    server = Lemonfox()
    server.says({"start": 0.1, "end": 0.9, "speaker": "A"})
    yield server
    server.close()


@pytest.fixture(scope="module")
def api(up: None, regie_variables: dict[str, str]) -> Iterator[httpx.Client]:
    """Prefect's API as anybody reads it; the blocks that are filled in are removed at the end."""
    found = json.loads((Path(regie_variables["REGIE_HOME"]) / "run/stack.json").read_text())
    with httpx.Client(base_url=found["api_url"], timeout=60) as client:
        yield client
        for each in client.post("/block_documents/filter", json={}).json():
            if each["block_type"]["slug"].startswith("regie-"):
                client.delete(f"/block_documents/{each['id']}")


@pytest.fixture(scope="module")
def fill_in(regie_command: Path, regie_variables: dict[str, str], api: httpx.Client) -> Set:
    """Give a function that fills in a block with secrets from standard input."""

    def call(*arguments: str, secrets: str) -> subprocess.CompletedProcess[str]:
        command = [str(regie_command), "blocks", "set", *arguments]
        return subprocess.run(
            command, input=secrets, capture_output=True, text=True, env=regie_variables, timeout=120, check=False
        )

    return call


@pytest.fixture(scope="module")
def run(fill_in: Set, regie: Regie, lemonfox: Lemonfox, make_video: Callable[..., Path], out: Path) -> Any:
    """A run whose phase 4 takes its key from a block."""
    done = fill_in("lemonfox", f"url={lemonfox.url}", secrets=f"{KEY}\n")
    assert done.returncode == 0, done.stderr
    return regie("run", "video", make_video(out.parent / "heard.mp4", seconds=2), "--out", out, "--to", 4, "--json")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("heard") / "out"


def items(out: Path) -> dict[str, Any]:
    (item,) = json.loads((out / ".regie/outcomes/audio.json").read_text()).values()
    return item


def test_a_phase_in_another_environment_uses_the_key_of_a_block(run: Any, out: Path, lemonfox: Lemonfox) -> None:
    assert run.code == 0, run.err
    assert items(out)["engine"] == "lemonfox v1"
    assert [request.key for request in lemonfox.requests] == [KEY]


def test_the_doctor_says_what_a_run_would_use(run: Any, regie: Regie) -> None:
    told = regie("doctor", "--json")
    (state,) = [each for each in told.result["engines"] if each["engine"] == "lemonfox"]
    assert (state["missing"], state["version"]) == ("", "v1")
    assert KEY not in told.out + told.err


def test_what_is_done_already_is_known_without_the_other_environment(
    run: Any, regie: Regie, api: httpx.Client, out: Path, lemonfox: Lemonfox
) -> None:
    asked = len(lemonfox.requests)
    again = regie("run", "video", out.parent / "heard.mp4", "--out", out, "--only", 4, "--json")
    assert again.code == 0, again.err
    assert len(lemonfox.requests) == asked
    children = {"flow_runs": {"parent_flow_run_id": {"any_": [again.result["run_id"]]}}}
    (child,) = api.post("/flow_runs/filter", json=children).json()
    assert child["work_pool_name"] is None


def test_a_key_that_is_refused_gives_way_to_the_next_engine(
    run: Any, regie: Regie, out: Path, lemonfox: Lemonfox
) -> None:
    before = lemonfox.answers
    lemonfox.answers = [Answer(401, f'{{"error": "Incorrect API key provided: {KEY}"}}'.encode())]
    try:
        again = regie("run", "video", out.parent / "heard.mp4", "--out", out, "--only", 4, "--force", "--json")
    finally:
        lemonfox.answers = before
    assert again.code == 0, again.err
    assert items(out)["engine"].startswith("embedded")
    assert "Lemonfox does not accept the key" in items(out)["reason"]


def test_the_commands_tell_of_blocks_without_their_secrets(run: Any, regie: Regie, lemonfox: Lemonfox) -> None:
    listed = regie("blocks", "list", "--json")
    sources = {each["block"]: each["source"] for each in listed.result}
    assert sources == {**dict.fromkeys(BLOCKS, "–"), "lemonfox": "block regie"}
    checked = regie("blocks", "check", "--json")
    assert checked.code == 0
    assert [(each["block"], each["works"]) for each in checked.result] == [("lemonfox", True)]
    shown = regie("blocks", "check")
    assert "✓ works" in shown.out
    theirs = {"LEMONFOX_API_KEY": "another-key", "REGIE_VIDEO__AUDIO__LEMONFOX_URL": lemonfox.url}
    refused = regie("blocks", "check", **theirs)
    assert refused.code == 1
    assert "environment" in refused.out
    assert "does not accept the key" in " ".join(refused.out.split())
    assert regie("blocks", "check", "storage").code == 1
    assert regie("blocks", "register").code == 0
    for each in (listed, checked, shown, refused):
        assert KEY not in each.out + each.err


def test_a_block_is_not_filled_in_with_what_is_wrong(run: Any, fill_in: Set, regie: Regie) -> None:
    for arguments, secrets, words in (
        (("lemonfox", "url=http://studio.example"), f"{KEY}\n", "give an https:// address"),
        (("lemonfox",), "", "api_key: Field required"),
        (("lemonfox",), f"{KEY} {KEY}\n", "no accents, spaces"),
        (("lemonfox", f"api_key={KEY}"), "", "a command line can be read by others"),
        (("lemonfox", "sauce=1"), "", "is no field of lemonfox"),
        (("storage", "url=s3://a"), f"s\nt\n{KEY}\n", "options is not a JSON object"),
        (("opera",), "", "There is no block opera"),
    ):
        done = fill_in(*arguments, secrets=secrets)
        assert done.returncode == 1
        assert words in " ".join(done.stderr.split())
        assert KEY not in done.stderr + done.stdout


def test_a_secret_is_in_no_file_and_in_no_answer(
    run: Any, api: httpx.Client, out: Path, regie_variables: dict[str, str], lemonfox: Lemonfox
) -> None:
    """After all of the above: Prefect's database with parameters, states, artifacts, logs and events; every log."""
    assert any(request.key == KEY for request in lemonfox.requests)
    files = [path for root in (Path(regie_variables["REGIE_HOME"]), out) for path in root.rglob("*") if path.is_file()]
    assert any(path.name == "prefect.db" for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    for kind in ("block_documents", "flow_runs", "artifacts", "logs", "deployments", "work_pools"):
        answer = api.post(f"/{kind}/filter", json={"limit": 200})
        assert answer.is_success, answer.text
        assert KEY not in answer.text
