"""At each instant a kill leaves the old or the new, and the next run ends as if nothing had happened."""

import errno
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from lib.files import is_temporary, sha256, sweep
from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions
from lib.video.convert.originals import put_in_place, temporary_beside
from lib.video.media import probe

OPTIONS = ConvertOptions(encoder="x264", preset="ultrafast")
OLD, NEW, OTHER = b"old" * 1000, b"new" * 1000, b"other" * 500


def contents(folder):
    """Return the visible files of a folder and their contents."""
    files = (path for path in folder.rglob("*") if path.is_file() and not is_temporary(path))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def place(folder, name, suffix, keep=True, converted=NEW):
    with temporary_beside(folder / name, suffix) as temporary:
        temporary.write_bytes(converted)
        return put_in_place(temporary, folder / name, suffix, keep)


def test_the_original_is_kept_beside(tmp_path):
    (tmp_path / "a.mp4").write_bytes(OLD)
    assert place(tmp_path, "a.mp4", ".mp4") == (tmp_path / "a.mp4", tmp_path / "originals" / "a.mp4")
    assert contents(tmp_path) == {"a.mp4": NEW, "originals/a.mp4": OLD}


def test_the_original_is_replaced_when_it_is_not_to_be_kept(tmp_path):
    (tmp_path / "a.mp4").write_bytes(OLD)
    (tmp_path / "b.avi").write_bytes(OLD)
    assert place(tmp_path, "a.mp4", ".mp4", keep=False) == (tmp_path / "a.mp4", None)
    assert place(tmp_path, "b.avi", ".mp4", keep=False) == (tmp_path / "b.mp4", None)
    assert contents(tmp_path) == {"a.mp4": NEW, "b.mp4": NEW}


def test_what_has_the_name_already_is_kept_apart(tmp_path):
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "a.avi").write_bytes(OTHER)
    (tmp_path / "a.mp4").write_bytes(OTHER)
    (tmp_path / "a.avi").write_bytes(OLD)
    video, original = place(tmp_path, "a.avi", ".mp4")
    assert (video.name, original) == ("a_avi.mp4", tmp_path / "originals" / "a (2).avi")
    assert contents(tmp_path) == {
        "a.mp4": OTHER, "a_avi.mp4": NEW, "originals/a.avi": OTHER, "originals/a (2).avi": OLD,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["é" * 125 + "x.mp4", "x" * 251 + ".avi", "🎬" * 62 + "y.ts"])
def test_collisions_of_the_longest_names(tmp_path, name):
    suffix = Path(name).suffix if name.endswith("mp4") else ".mp4"
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / name).write_bytes(OTHER)
    for content in (OLD, OLD + b"2"):
        (tmp_path / name).write_bytes(content)
        video, original = place(tmp_path, name, suffix, converted=NEW + content)
        assert original is not None
        assert (original.read_bytes(), video.read_bytes()) == (content, NEW + content)
    assert sorted(map(len, contents(tmp_path).values())) == sorted(
        map(len, [OTHER, OLD, OLD + b"2", NEW + OLD + b"2", *([] if suffix == Path(name).suffix else [NEW + OLD])])
    )


def test_a_hard_link_elsewhere_keeps_its_bytes(tmp_path):
    source, project = tmp_path / "source.mp4", tmp_path / "project"
    project.mkdir()
    source.write_bytes(OLD)
    (project / "a.mp4").hardlink_to(source)
    place(project, "a.mp4", ".mp4")
    assert source.read_bytes() == OLD
    assert contents(project) == {"a.mp4": NEW, "originals/a.mp4": OLD}


def test_a_symbolic_link_is_replaced_and_what_it_names_is_not(tmp_path):
    (tmp_path / "source.mp4").write_bytes(OLD)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.mp4").symlink_to("../source.mp4")
    place(tmp_path / "project", "a.mp4", ".mp4")
    assert (tmp_path / "source.mp4").read_bytes() == OLD
    assert contents(tmp_path / "project") == {"a.mp4": NEW, "originals/a.mp4": OLD}


@pytest.mark.parametrize(("name", "suffix"), [("a.mp4", ".mp4"), ("a.avi", ".mp4")])
def test_a_file_system_without_hard_links(tmp_path, monkeypatch, name, suffix):
    def refuse(self, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / name).write_bytes(OLD)
    video, original = place(tmp_path, name, suffix)
    assert (video.read_bytes(), original and original.read_bytes()) == (NEW, OLD)
    assert len(contents(tmp_path)) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from lib.video.convert.originals import put_in_place, temporary_beside

folder, name, suffix, keep, links, left = Path(sys.argv[1]), sys.argv[2], sys.argv[3], *map(int, sys.argv[4:])
if not links:
    def refuse(self, target):
        raise PermissionError
    Path.hardlink_to = refuse
with temporary_beside(folder / name, suffix) as temporary:
    temporary.write_bytes(b"new" * 1000)
    def hook(event, arguments):
        global left
        if event in ("os.link", "os.rename", "os.remove", "os.mkdir", "open", "shutil.copyfile"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    put_in_place(temporary, folder / name, suffix, bool(keep))
"""


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(("name", "suffix"), [("a.mp4", ".mp4"), ("a.avi", ".mp4")])
def test_a_kill_before_any_step_loses_nothing(tmp_path, name, suffix, keep, links):
    """A process is really killed before its first change of the file system, its second, … until one ends well."""
    for step in range(30):
        folder = tmp_path / str(step)
        folder.mkdir()
        (folder / name).write_bytes(OLD)
        arguments = [folder, name, suffix, int(keep), int(links), step]
        done = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False, capture_output=True)
        assert done.returncode in (0, -9), done.stderr.decode()
        left = contents(folder)
        assert left.get(name) == OLD or left.get("a.mp4") == NEW
        assert not keep or OLD in left.values()
        if (folder / name).exists() and left[name] == OLD:
            place(folder, name, suffix, keep)
        sweep(folder)
        wanted = {"a.mp4": NEW} | ({f"originals/{name}": OLD} if keep else {})
        assert contents(folder) == wanted
        assert not any(is_temporary(path) for path in folder.rglob("*"))
        if done.returncode == 0:
            assert step > 1
            return
    raise AssertionError("never ended")


def test_a_second_run_after_a_kill_finds_the_converted_file_by_its_bytes(make, tmp_path):
    """Killed after x.mp4 was in place and before x.avi went: the conversion gives the same bytes, and x.avi goes."""
    video = make("x.avi", "-c:v", "mpeg4", sound=True)
    old = video.read_bytes()
    first = convert_video(video, OPTIONS)
    new = first.video.read_bytes()
    video.write_bytes(old)
    second = convert_video(video, OPTIONS)
    assert (second.video, second.original) == (first.video, first.original)
    assert contents(tmp_path) == {"x.mp4": new, "originals/x.avi": old}


CONVERT = """
import sys
from pathlib import Path
from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions
def progress(done, total, item=""):
    print(done, flush=True)
convert_video(Path(sys.argv[1]), ConvertOptions(encoder="x264", preset="slower"), progress)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="children die with their parent by a call of Linux")
def test_a_killed_run_leaves_the_original_and_no_child(make, tmp_path):
    video = make("a.mp4", "-preset", "ultrafast", size="640x480", seconds=10)
    before = sha256(video)
    with subprocess.Popen([sys.executable, "-c", CONVERT, str(video)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children
        pidfds = [os.pidfd_open(int(child)) for child in children]
        process.kill()
        for pidfd in pidfds:
            ready, _, _ = select.select([pidfd], [], [], 10)
            assert ready, "FFmpeg outlived the process that was killed"
            os.close(pidfd)
    assert sha256(video) == before
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert probe(convert_video(video, OPTIONS).video).frame_rate == 25
