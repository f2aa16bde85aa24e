"""Folders and files with messages on this machine, as people have them."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import InputError, UnavailableError
from lib.offers.mail.base import MessageGoneError
from lib.offers.mail.folder import DEPTH, FolderMailbox
from lib.offers.mail.options import MailOptions

from .conftest import EmlPlace, MaildirPlace, MboxPlace, message, source_of


def opened(path: Path, **options: object) -> FolderMailbox:
    return FolderMailbox(path, MailOptions(**options), source_of)  # type: ignore[arg-type]


def subjects(box: FolderMailbox) -> list[str]:
    return [each.subject for each in box.audit()]


@pytest.fixture
def nobody() -> Iterator[Path]:
    """Give a folder of nobody's, who does the test: root may do everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


@contextlib.contextmanager
def forbidden(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


def test_a_folder_may_hold_several_of_each_kind(tmp_path: Path) -> None:
    for number, (name, kind) in enumerate(
        {"a/x": MboxPlace, "b": MaildirPlace, ".": EmlPlace, "c/d": EmlPlace}.items()
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        kind(tmp_path / name).put([message(number + 1)])
    (tmp_path / "notes.txt").write_text("From me to you")
    (tmp_path / "empty").touch()
    box = opened(tmp_path)
    found = box.audit()
    assert [each.subject for each in found] == ["Alert 1", "Alert 2", "Alert 3", "Alert 4"]
    assert [box.fetch(each) for each in found] == [message(number) for number in (1, 2, 3, 4)]
    box.handled(found[1:])
    assert subjects(box) == ["Alert 1"]
    assert box.doubts == []


def test_a_folder_in_a_folder_in_a_folder_is_looked_into_up_to_a_depth(tmp_path: Path) -> None:
    deep = tmp_path
    for level in range(DEPTH + 2):
        EmlPlace(deep).put([message(level + 1)])
        deep /= "more"
    assert len(subjects(opened(tmp_path))) == DEPTH + 1


def test_links_and_hidden_folders_are_not_followed(tmp_path: Path) -> None:
    for name in ("mail/in", "outside", "mail/.hidden"):
        (tmp_path / name).mkdir(parents=True)
        EmlPlace(tmp_path / name).put([message(1)])
    top = tmp_path / "mail"
    (top / "in/link.eml").symlink_to(tmp_path / "outside/00000 été.eml")
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "round").symlink_to(top)
    MboxPlace(tmp_path / "mbox").put([message(1)])
    (top / "mbox").symlink_to(tmp_path / "mbox")
    os.mkfifo(top / "in/pipe.eml")
    (top / "in/folder.eml").mkdir()
    box = opened(top)
    assert len(box.audit()) == 1
    assert box.doubts == []


def test_the_folder_that_is_named_may_itself_be_a_link(tmp_path: Path) -> None:
    MboxPlace(tmp_path / "mbox").put([message(1)])
    (tmp_path / "link").symlink_to(tmp_path / "mbox")
    box = opened(tmp_path / "link")
    box.handled(box.audit())
    assert (tmp_path / "link").is_symlink()
    assert subjects(opened(tmp_path / "mbox")) == []


def test_names_that_are_no_text_are_names_too(tmp_path: Path) -> None:
    (tmp_path / "a#b%").mkdir()
    name = os.fsdecode(b"\xff 1#.EML")
    (tmp_path / "a#b%" / name).write_bytes(message(1))
    box = opened(tmp_path)
    (found,) = box.audit()
    assert found.id.isascii()
    assert opened(tmp_path).fetch(found) == message(1)
    box.handled([found])
    assert (tmp_path / "a#b%/Imported" / name).read_bytes() == message(1)


def test_an_imported_eml_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        EmlPlace(tmp_path).put([message(number)])
        box = opened(tmp_path, moved_to="Done/with it")
        box.handled(box.audit())
    moved = tmp_path / "Done/with it"
    assert {path.name: path.read_bytes() for path in moved.iterdir()} == {
        "00000 été.eml": message(1),
        "00000 été-2.eml": message(2),
        "00000 été-3.eml": message(3),
    }
    assert subjects(opened(tmp_path, moved_to="Done/with it")) == []
    assert len(subjects(opened(moved))) == 3


def test_another_eml_file_of_the_same_name_is_another_message(tmp_path: Path) -> None:
    EmlPlace(tmp_path).put([message(1)])
    box = opened(tmp_path)
    found = box.audit()
    EmlPlace(tmp_path).put([message(2)])
    with pytest.raises(MessageGoneError):
        box.fetch(found[0])
    box.handled(found)
    assert subjects(box) == ["Alert 2"]


def test_a_link_that_takes_the_place_of_a_message_is_not_followed(tmp_path: Path) -> None:
    EmlPlace(tmp_path / "mail").put([message(1)])
    box = opened(tmp_path / "mail")
    found = box.audit()
    (path,) = (tmp_path / "mail").iterdir()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MessageGoneError):
        box.fetch(found[0])
    box.handled(found)
    assert path.is_symlink()


def test_a_maildir_keeps_the_flags_of_others(tmp_path: Path) -> None:
    MaildirPlace(tmp_path).put([message(1), message(2), message(3), message(4)])
    read, deleted = sorted((tmp_path / "cur").iterdir())
    read.rename(f"{read}S")
    deleted.rename(f"{deleted}T")
    box = opened(tmp_path)
    first, third = box.audit()
    assert (first.subject, third.subject) == ("Alert 1", "Alert 3")
    (path,) = (each for each in (tmp_path / "new").iterdir() if each.read_bytes() == message(1))
    path.rename(tmp_path / "cur" / f"{path.name}:2,DR")
    box.handled([first, third])
    assert list((tmp_path / "new").iterdir()) == []
    assert sorted(each.name.partition(":")[2] for each in (tmp_path / "cur").iterdir()) == [
        "2,DRS",
        "2,FS",
        "2,FT",
        "2,S",
    ]


def test_a_message_that_cannot_be_read_is_named_and_the_others_are_given(nobody: Path) -> None:
    (nobody / "one").mkdir()
    EmlPlace(nobody / "one").put([message(1), message(2)])
    MboxPlace(nobody / "mbox").put([message(3)])
    MaildirPlace(nobody / "dir").put([message(4), message(5)])
    (nobody / "closed").mkdir()
    paths = [nobody / "one/00000 été.eml", nobody / "mbox", next((nobody / "dir/cur").iterdir()), nobody / "closed"]
    with contextlib.ExitStack() as stack:
        for path in paths:
            stack.enter_context(forbidden(path, 0))
        box = opened(nobody)
        assert subjects(box) == ["Alert 2", "Alert 4"]
    assert sorted(each.name for each in box.doubts) == sorted(str(path.relative_to(nobody)) for path in paths)
    assert {each.reason for each in box.doubts} == {"it cannot be read: Permission denied"}
    assert len(subjects(box)) == 5


@pytest.mark.parametrize(("kind", "place"), [(EmlPlace, "in/mail"), (MaildirPlace, "in/mail/cur"), (MboxPlace, "in")])
def test_a_folder_that_cannot_be_written_to_is_said(nobody: Path, kind: type[EmlPlace], place: str) -> None:
    top = nobody / "in/mail"
    top.parent.mkdir()
    kind(top).put([message(1), message(2)])
    box = opened(top)
    found = box.audit()
    with forbidden(nobody / place, 0o500):
        before = kind(top).state()
        with pytest.raises(UnavailableError, match=r"cannot be written to \(Permission denied\)"):
            box.handled(found)
        assert kind(top).state() == before
    assert box.audit() == found


def test_an_eml_file_that_cannot_be_moved_stays_and_leaves_nothing_behind(nobody: Path) -> None:
    EmlPlace(nobody / "mail").put([message(1)])
    (nobody / "mail/Imported").mkdir()
    box = opened(nobody / "mail")
    found = box.audit()
    with forbidden(nobody / "mail", 0o500), pytest.raises(UnavailableError, match="cannot be written to"):
        box.handled(found)
    assert box.audit() == found
    assert list((nobody / "mail/Imported").iterdir()) == []


def test_what_a_crash_left_in_the_place_of_a_message_is_no_message(tmp_path: Path) -> None:
    EmlPlace(tmp_path).put([message(1)])
    (tmp_path / "Imported").mkdir()
    (tmp_path / "Imported/00000 été.eml").touch()
    box = opened(tmp_path)
    box.handled(box.audit())
    assert (tmp_path / "Imported/00000 été-2.eml").read_bytes() == message(1)
    assert opened(tmp_path / "Imported").doubts == []


def test_an_mbox_that_may_only_be_read_is_left_alone(nobody: Path) -> None:
    MboxPlace(nobody / "mbox").put([message(1)])
    box = opened(nobody / "mbox")
    found = box.audit()
    with forbidden(nobody / "mbox", 0o400), pytest.raises(UnavailableError, match="cannot be written to"):
        box.handled(found)
    assert box.audit() == found


def test_a_folder_that_is_gone_meanwhile_is_said(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    box = opened(tmp_path / "mail")
    (tmp_path / "mail").rmdir()
    with pytest.raises(UnavailableError, match="mail cannot be read: No such file or directory"):
        box.audit()


def test_imported_messages_do_not_leave_their_folder(tmp_path: Path) -> None:
    for moved_to in ("/tmp", "../x", "."):
        with pytest.raises(InputError, match="name of a folder in it"):
            opened(tmp_path, moved_to=moved_to)
    EmlPlace(tmp_path / "mail").put([message(1)])
    (tmp_path / "out").mkdir()
    (tmp_path / "mail/Imported").symlink_to(tmp_path / "out")
    box = opened(tmp_path / "mail")
    with pytest.raises(UnavailableError, match="leads out of"):
        box.handled(box.audit())
    assert len(box.audit()) == 1
