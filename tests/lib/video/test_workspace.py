import contextlib
import fcntl
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InputError
from lib.files import is_temporary
from lib.runs.report import Item, ItemState, PhaseReport
from lib.video.workspace import Workspace

SUBJECTS = st.sampled_from(["a.mp4", "sub/b.mp4", 'it\'s "c"\n🎬.mp4'])
ITEMS = st.builds(
    Item,
    subject=SUBJECTS,
    state=st.sampled_from(ItemState),
    engine=st.text(max_size=5),
    reason=st.text(max_size=5),
    seconds=st.floats(0, 1e6),
    counts=st.dictionaries(st.sampled_from(["frames", "faces"]), st.integers(0, 9).map(float)),
    notes=st.lists(st.text(max_size=5), max_size=2).map(tuple),
)


def report(*items: Item, phase: str = "scenes") -> PhaseReport:
    return PhaseReport(phase=phase, items=items)


REPORTS = st.lists(ITEMS, max_size=4, unique_by=lambda item: item.subject).map(lambda items: report(*items))
"""A phase tells of each item once."""


def test_a_workspace_is_made_where_there_is_none(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "deep" / "out")
    workspace.prepare()
    workspace.prepare()
    for folder in (workspace.projects, workspace.output, workspace.archives):
        assert folder.is_dir()


def test_an_output_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written: Not a directory\. Give a folder"):
        Workspace(tmp_path / "file" / "out").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_an_output_folder_that_is_read_only_says_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Give a folder that you may write to"):
        Workspace(tmp_path / "out").prepare()


def test_a_subject_is_the_path_below_the_projects(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.subject(workspace.projects / "a project" / "day 1" / "film.mp4") == "a project/day 1/film.mp4"


def test_a_name_that_is_not_utf8_can_be_remembered_too(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    names = [os.fsdecode(name) for name in (b"caf\xe9.mp4", b"caf\xe8.mp4")]
    subjects = [workspace.subject(workspace.projects / name) for name in names]
    workspace.record(report(*(Item(subject=subject, state=ItemState.DONE) for subject in subjects)))
    assert list(workspace.outcomes("scenes")) == subjects == ["caf\\xe9.mp4", "caf\\xe8.mp4"]


def test_two_runs_do_not_hold_one_workspace(tmp_path: Path) -> None:
    with Workspace(tmp_path).locked():
        refused: list[str] = []

        def try_it() -> None:
            try:
                with Workspace(tmp_path).locked():
                    refused.append("held twice")
            except InputError as error:
                refused.append(str(error))

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
        assert len(refused) == 1
        assert "Another run works in" in refused[0]
    with Workspace(tmp_path).locked():
        pass


def test_an_error_in_a_run_lets_the_workspace_go(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Workspace(tmp_path).locked():
        raise KeyboardInterrupt
    with Workspace(tmp_path).locked():
        pass


HOLD = """
import os, signal, sys
from pathlib import Path
from lib.video.workspace import Workspace
with Workspace(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_holds_the_workspace_until_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="Another run works"), Workspace(tmp_path).locked():
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        with Workspace(tmp_path).locked():
            pass


def test_a_run_takes_over_from_an_attempt_of_its_own_whose_lock_stayed(tmp_path: Path) -> None:
    with Workspace(tmp_path).locked("run 1"):
        with Workspace(tmp_path).locked("run 1"):
            for owner in ("run 2", ""):
                with pytest.raises(InputError, match="Another run works"), Workspace(tmp_path).locked(owner):
                    pass
        with Workspace(tmp_path).locked("run 2"):
            pass
    with Workspace(tmp_path).locked("run 3"):
        pass


def test_who_takes_over_from_an_attempt_of_its_own_leaves_a_lock_that_another_run_made_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    lock, aside, flock = tmp_path / ".regie" / "lock", tmp_path / "aside", fcntl.flock
    with contextlib.ExitStack() as held:
        held.enter_context(workspace.locked("run 1"))

        def others_come_first(file: IO[str], how: int) -> None:
            monkeypatch.setattr(fcntl, "flock", flock)
            lock.rename(aside)
            held.enter_context(workspace.locked("run 2"))
            flock(file, how)

        monkeypatch.setattr(fcntl, "flock", others_come_first)
        with pytest.raises(InputError, match="Another run works"), workspace.locked("run 1"):
            pass
        assert lock.read_text() == "run 2"


@given(reports=st.lists(REPORTS, max_size=4))
def test_the_last_outcome_of_each_item_is_remembered(
    tmp_path_factory: pytest.TempPathFactory, reports: list[PhaseReport]
) -> None:
    workspace = Workspace(tmp_path_factory.mktemp("out"))
    states: dict[str, ItemState] = {}
    for each in reports:
        workspace.record(each)
        for item in each.items:
            if item.state is not ItemState.KEPT or states.get(item.subject) not in {ItemState.DONE, ItemState.KEPT}:
                states[item.subject] = item.state
    outcomes = workspace.outcomes("scenes")
    assert {subject: item.state for subject, item in outcomes.items()} == states
    assert all(subject == item.subject for subject, item in outcomes.items())
    assert workspace.outcomes("audio") == {}
    assert not [path for path in workspace.root.rglob("*") if is_temporary(path)]


@pytest.mark.parametrize("earlier", [ItemState.DONE, ItemState.KEPT])
def test_an_item_that_is_kept_keeps_the_outcome_of_the_work(tmp_path: Path, earlier: ItemState) -> None:
    workspace = Workspace(tmp_path)
    made = Item(subject="a", state=earlier, engine="x 1", seconds=42, counts={"frames": 100, "cuts": 7})
    kept = Item(subject="a", state=ItemState.KEPT, engine="x 1", seconds=0.1, counts={"cuts": 8})
    for _ in range(3):
        workspace.record(report(made))
        workspace.record(report(kept))
        workspace.record(report(kept))
        assert workspace.outcomes("scenes")["a"] == made


@pytest.mark.parametrize("earlier", [ItemState.FAILED, ItemState.SKIPPED])
def test_an_item_that_is_kept_takes_nothing_from_a_failure(tmp_path: Path, earlier: ItemState) -> None:
    workspace = Workspace(tmp_path)
    workspace.record(report(Item(subject="a", state=earlier, reason="no picture", seconds=3, counts={"frames": 1})))
    kept = Item(subject="a", state=ItemState.KEPT, seconds=0.5)
    workspace.record(report(kept))
    assert workspace.outcomes("scenes")["a"] == kept


def test_work_done_again_replaces_the_figures(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.record(report(Item(subject="a", state=ItemState.DONE, seconds=42, counts={"frames": 100})))
    again = Item(subject="a", state=ItemState.DONE, seconds=1, counts={"cuts": 1})
    workspace.record(report(again))
    assert workspace.outcomes("scenes")["a"] == again


def test_a_figure_that_is_no_number_does_not_make_the_others_unreadable(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    bad = Item(subject="a", state=ItemState.DONE, seconds=math.inf, counts={"ratio": math.nan})
    workspace.record(report(bad, Item(subject="b", state=ItemState.DONE)))
    outcomes = workspace.outcomes("scenes")
    assert outcomes.keys() == {"a", "b"}
    assert math.isnan(outcomes["a"].counts["ratio"])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": {"state": "melted"}}', b"\xff", b'{"a": null}'])
def test_a_damaged_record_counts_as_none_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    workspace = Workspace(tmp_path)
    item = Item(subject="a", state=ItemState.DONE)
    workspace.record(report(item))
    [file] = list(tmp_path.rglob("scenes.json"))
    file.write_bytes(content)
    assert workspace.outcomes("scenes") == {}
    workspace.record(report(item))
    assert workspace.outcomes("scenes") == {"a": item}
