"""A process that was killed while it noted what became of a video left half a file behind, which nobody removed."""

from pathlib import Path

from lib.files import TEMPORARY_SUFFIX
from lib.video.workspace import Workspace


def test_what_was_half_written_of_an_outcome_is_removed_with_the_rest(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.prepare()
    halves = [
        folder / f".0123456789ab{TEMPORARY_SUFFIX}" for folder in (tmp_path / ".regie/outcomes", workspace.projects)
    ]
    for half in halves:
        half.parent.mkdir(exist_ok=True)
        half.write_text("half of it")
    workspace.clean()
    assert [half for half in halves if half.exists()] == []
    assert (tmp_path / ".regie/lock").exists()
