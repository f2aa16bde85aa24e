from collections.abc import Callable
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.runs.report import Item, ItemState, PhaseReport
from lib.video.extract.options import ExtractOptions
from lib.video.needed import require_needed
from lib.video.plan import VIDEO
from lib.video.sources import bring_in, find_sources
from lib.video.workspace import Workspace


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"a video")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "out")
    made.prepare()
    return made


@pytest.fixture
def refusal(source: Path, workspace: Workspace) -> Callable[..., str]:
    def words(only: list[int] | None = None, first: int | None = None) -> str:
        try:
            require_needed(VIDEO.select(only or (), first), str(source), workspace, ExtractOptions())
        except InputError as error:
            return str(error)
        return ""

    return words


@pytest.mark.parametrize("only", [[2], [3, 4], [5], [6], [7], [5, 2]])
def test_in_an_empty_workspace_the_first_phase_is_asked_for(
    workspace: Workspace, refusal: Callable[..., str], only: list[int]
) -> None:
    words = refusal(only)
    assert "needs the results of phase 1 (extract)" in words
    assert str(workspace.root) in words
    assert "--from 1" in words


@pytest.mark.parametrize("only", [[], [1], [1, 2], [1, 2, 5]])
def test_phases_that_make_what_they_need_are_not_refused(refusal: Callable[..., str], only: list[int]) -> None:
    assert refusal(only) == ""


def test_an_analysis_of_videos_that_are_not_converted_is_refused(
    source: Path, workspace: Workspace, refusal: Callable[..., str]
) -> None:
    bring_in(find_sources(source, ExtractOptions())[0], workspace.projects, ExtractOptions())
    [video] = workspace.projects.rglob("a.mp4")
    assert "Phase 5 (tracking) needs the results of phase 2 (convert)" in refusal([5])
    assert "Phase 3 (scenes)" in refusal(first=3)
    assert refusal([2]) == ""

    failed = Item(subject=workspace.subject(video), state=ItemState.FAILED, reason="it is damaged")
    workspace.record(PhaseReport(phase="convert", items=(failed,)))
    assert refusal([5]) == "", "what came of every video is known"
