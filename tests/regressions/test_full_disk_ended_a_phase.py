"""A disk too full to note what became of one video ended the whole phase, and the videos after it were not tried."""

from logging import getLogger
from pathlib import Path

import pytest

from flows.video.common import Memory
from flows.video.place import Place
from lib.runs.report import Item, ItemState
from lib.video.workspace import Workspace


def test_an_outcome_that_the_disk_does_not_take_is_written_with_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workspace = Workspace(tmp_path)
    workspace.prepare()
    outcomes = tmp_path / ".regie" / "outcomes"
    memory = Memory(Place(workspace), "finalise", getLogger(__name__))
    outcomes.touch()  # no folder can be made there: the disk refuses, whoever asks
    memory.remember(Item(subject="a.mp4", state=ItemState.FAILED, reason="The disk is full."))
    assert "a.mp4" in caplog.text
    outcomes.unlink()
    memory.remember(Item(subject="b.mp4", state=ItemState.DONE))
    told = {subject: item.state for subject, item in workspace.outcomes("finalise").items()}
    assert told == {"a.mp4": ItemState.FAILED, "b.mp4": ItemState.DONE}


def test_an_outcome_is_written_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    memory = Memory(Place(workspace), "finalise", getLogger(__name__))
    memory.remember(Item(subject="a.mp4", state=ItemState.FAILED, reason="It is bad."))
    (tmp_path / ".regie" / "outcomes" / "finalise.json").unlink()
    memory.remember(Item(subject="b.mp4", state=ItemState.DONE))
    assert list(workspace.outcomes("finalise")) == ["b.mp4"]
