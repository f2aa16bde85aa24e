import hashlib
import json
import os
import shutil
import subprocess
import zipfile

import pytest

from lib.errors import InputError
from lib.video.extract.manifest import MANIFEST
from lib.video.extract.options import ExtractOptions
from lib.video.results import find_videos
from lib.video.sources import SourceKind, bring_in, find_sources, project_of

OPTIONS = ExtractOptions(keep_free_bytes=0)


class Studio:
    """A folder of rushes and a workspace."""

    def __init__(self, folder):
        self.rushes = folder / "rushes"
        self.rushes.mkdir()
        self.projects = folder / "out" / "projects"

    def video(self, name, content=b"video"):
        path = self.rushes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def zip(self, name, members):
        path = self.rushes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    def found(self, source=None, options=OPTIONS, skip=()):
        sources = find_sources(source or self.rushes, options, skip)
        return [(each.kind.value, each.path.relative_to(self.rushes).as_posix(), each.name) for each in sources]

    def bring(self, source=None, options=OPTIONS, **how):
        return [bring_in(each, self.projects, options, **how) for each in find_sources(source or self.rushes, OPTIONS)]

    def tree(self):
        files = (path for path in self.projects.rglob("*") if path.is_file() and path.name != MANIFEST)
        return {path.relative_to(self.projects).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path)


class TestFinding:
    def test_archives_and_folders_with_videos_become_projects(self, studio):
        studio.zip("b.zip", {"x.mp4": b"x"})
        studio.zip("cards/a.tar.gz", {})
        studio.video("cards/day 2/clip.mov")
        studio.video("loose.mp4")
        studio.video("notes.txt")
        studio.video("script.docx", (studio.rushes / "b.zip").read_bytes())
        assert studio.found() == [
            ("folder", ".", "rushes"),
            ("archive", "b.zip", "b"),
            ("archive", "cards/a.tar.gz", "a"),
            ("folder", "cards/day 2", "day 2"),
        ]

    def test_one_archive_and_one_video(self, studio):
        assert studio.found(studio.zip("a.zip", {})) == [("archive", "a.zip", "a")]
        assert studio.found(studio.video("clip.mp4")) == [("video", "clip.mp4", "clip")]

    def test_names_are_kept_apart_in_a_fixed_way(self, studio):
        for name in ("a.zip", "A.tar", "a.7z", "a\n.zip", "a/x.mp4"):
            studio.video(name)
        assert [name for _, _, name in studio.found()] == ["A", "a_", "a 2", "a 3", "a 4"]
        assert studio.found() == studio.found()

    def test_only_archives_with_the_keyword_but_every_video(self, studio):
        studio.zip("RUSHES day 1.zip", {})
        other = studio.zip("invoices.zip", {})
        studio.video("clip.mp4")
        options = ExtractOptions(keyword="rushes")
        assert [path for _, path, _ in studio.found(options=options)] == [".", "RUSHES day 1.zip"]
        assert studio.found(other, options) == [("archive", "invoices.zip", "invoices")]

    def test_the_format_is_known_by_content(self, studio):
        studio.zip("rushes.mp4", {"a": b"a"})
        studio.zip("no suffix", {"a": b"a"})
        assert [(kind, name) for kind, _, name in studio.found()] == [
            ("archive", "no suffix"),
            ("archive", "rushes.mp4"),
        ]

    def test_what_is_regies_own_or_hidden_or_junk_is_left_out(self, studio):
        for name in (
            ".hidden/a.mp4", "__MACOSX/a.mp4", "originals/a.mp4", "._a.mp4", ".a.mp4",
            "work/projects/p/a.mp4", "work/output/p/a.mp4", "work/archives/p/a.mp4", "elsewhere/a.mp4",
        ):  # fmt: skip
            studio.video(name)
        (studio.rushes / "work" / ".regie").mkdir()
        (studio.rushes / "elsewhere" / MANIFEST).write_text("{}")
        assert studio.found() == []

    def test_what_is_to_be_skipped_and_links_to_folders(self, studio):
        studio.video("out/a.mp4")
        studio.video("in/b.mp4")
        (studio.rushes / "loop").symlink_to(studio.rushes)
        assert studio.found(skip=[studio.rushes / "out"]) == [("folder", "in", "in")]

    def test_volumes_are_one_source(self, studio):
        for number in (1, 2, 3):
            # Of the main header: size, type, flags, size of the extra area, flags of the archive, number of the volume.
            header = b"\x0b\x01\x05\x06\x01" if number == 1 else b"\x0c\x01\x05\x06\x03\x01"
            head = b"Rar!\x1a\x07\x01\x00" + b"\x33\x92\xb5\xe5" + header
            studio.video(f"day.part{number}.rar", head + bytes(20))
            if number > 1:
                studio.video(f"lost.part{number}.rar", head + bytes(20))
        assert studio.found() == [("archive", "day.part1.rar", "day"), ("archive", "lost.part2.rar", "lost")]
        with pytest.raises(InputError, match="first"):
            find_sources(studio.rushes / "day.part2.rar", OPTIONS)

    def test_what_cannot_be_a_source_is_a_clear_error(self, studio):
        with pytest.raises(InputError, match="no such"):
            find_sources(studio.rushes / "missing", OPTIONS)
        with pytest.raises(InputError, match="neither"):
            find_sources(studio.video("notes.txt"), OPTIONS)


class TestArchives:
    def test_an_archive_becomes_a_project_that_remembers_it(self, studio):
        archive = studio.zip("day.zip", {"top/clip.mp4": b"clip", "top/.DS_Store": b"junk"})
        [intake] = studio.bring()
        assert intake.action == "created"
        assert intake.project == studio.projects / "day"
        assert intake.counts == {"videos": 1, "files": 1, "bytes": 4, "refused": 0, "junk": 1}
        assert studio.tree() == {"day/clip.mp4": b"clip"}
        manifest = json.loads((intake.project / MANIFEST).read_text())
        assert manifest["source"] == str(archive)
        assert manifest["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
        assert {"kind", "size", "mtime_ns", "name", "created_at"} <= manifest.keys()

    def test_a_second_run_does_nothing(self, studio):
        studio.zip("day.zip", {"clip.mp4": b"clip"})
        [first] = studio.bring()
        (first.project / "clip.csv").write_text("results")
        before = {path: path.stat().st_mtime_ns for path in first.project.iterdir()}
        [second] = studio.bring()
        assert (second.action, second.project) == ("kept", first.project)
        assert {path: path.stat().st_mtime_ns for path in first.project.iterdir()} == before

    def test_the_same_content_is_known_again_in_another_place(self, studio):
        archive = studio.zip("day.zip", {"clip.mp4": b"clip"})
        [first] = studio.bring()
        (studio.rushes / "moved").mkdir()
        archive = archive.rename(studio.rushes / "moved" / "other.zip")
        os.utime(archive, (1, 1))
        assert [(each.action, each.project) for each in studio.bring()] == [("kept", first.project)]
        assert json.loads((first.project / MANIFEST).read_text())["source"] == str(archive)

    def test_other_content_under_the_same_name_is_another_project(self, studio):
        studio.zip("day.zip", {"clip.mp4": b"one"})
        studio.bring()
        studio.zip("day.zip", {"clip.mp4": b"two!"})
        [intake] = studio.bring()
        assert (intake.action, intake.project.name) == ("created", "day 2")
        assert studio.tree() == {"day/clip.mp4": b"one", "day 2/clip.mp4": b"two!"}
        assert studio.bring()[0].action == "kept"

    def test_a_folder_that_is_nobodys_project_is_not_written_into(self, studio):
        (studio.projects / "DAY").mkdir(parents=True)
        (studio.projects / "DAY" / "mine.txt").write_text("mine")
        studio.zip("day.zip", {"clip.mp4": b"one"})
        assert studio.bring()[0].project.name == "day 2"

    def test_a_bad_archive_leaves_nothing_and_does_not_stop_the_others(self, studio):
        studio.video("bad.zip", b"PK\x03\x04 cut short")
        studio.video("empty.zip", b"")
        studio.zip("good.zip", {"clip.mp4": b"clip"})
        outcomes = {}
        for source in find_sources(studio.rushes, OPTIONS):
            try:
                outcomes[source.name] = bring_in(source, studio.projects, OPTIONS).action
            except InputError as error:
                outcomes[source.name] = str(error)
        assert "truncated" in outcomes["bad"]
        assert "zero bytes" in outcomes["empty"]
        assert outcomes["good"] == "created"
        assert [path.name for path in studio.projects.iterdir()] == ["good"]

    def test_refused_members_are_said_and_logged_beside_the_projects(self, studio):
        studio.zip("day.zip", {"clip.mp4": b"clip", "../evil.mp4": b"evil"})
        [intake] = studio.bring()
        assert intake.counts["refused"] == 1
        assert "parent_path" in intake.notes[0]
        assert len((studio.projects.parent / "security.jsonl").read_text().splitlines()) == 1

    def test_an_archive_cannot_bring_its_own_manifest(self, studio):
        studio.zip("day.zip", {"top/.regie-project.json": b"evil", "top/clip.mp4": b"clip"})
        [intake] = studio.bring()
        assert json.loads((intake.project / MANIFEST).read_text())["kind"] == "archive"
        assert studio.tree()["day/_regie-project.json"] == b"evil"

    def test_deleted_when_asked(self, studio):
        archive = studio.zip("day.zip", {"clip.mp4": b"clip"})
        [intake] = studio.bring(options=ExtractOptions(keep_free_bytes=0, delete_archive=True))
        assert not archive.exists()
        assert "deleted" in intake.notes[0]

    def test_progress_moves_on_to_the_end(self, studio):
        studio.zip("day.zip", {f"{number}.mp4": bytes(1000) for number in range(5)})
        shares = []
        studio.bring(progress=lambda done, total, item="": shares.append(done / total))
        assert shares == sorted(shares)
        assert shares[-1] == 1


class TestFoldersAndVideos:
    def test_videos_come_in_as_links_and_other_files_stay(self, studio):
        clip = studio.video("a.mp4", b"a")
        studio.video("b.mov", b"b")
        studio.video("notes.txt")
        [intake] = studio.bring()
        assert (intake.action, intake.counts) == ("created", {"videos": 2, "files": 2, "bytes": 2, "copied": 0})
        assert studio.tree() == {"rushes/a.mp4": b"a", "rushes/b.mov": b"b"}
        assert clip.samefile(intake.project / "a.mp4")

    def test_one_video(self, studio):
        clip = studio.video('it\'s "one" 🎬\n.mp4')
        [intake] = studio.bring(clip)
        assert intake.project.name == 'it\'s "one" 🎬_'
        assert len(find_videos(intake.project)) == 1
        assert studio.bring(clip)[0].action == "kept"

    def test_a_video_of_255_bytes_and_one_that_is_not_utf8(self, studio):
        studio.video("n" * 251 + ".mp4")
        studio.video(os.fsdecode("Été.mp4".encode("latin-1")))
        [intake] = studio.bring()
        assert intake.counts["videos"] == 2
        assert (intake.project / "Été.mp4").is_file()
        assert studio.bring()[0].action == "kept"

    def test_a_link_to_a_video_stands_for_the_video(self, studio, tmp_path):
        (tmp_path / "real.mp4").write_bytes(b"real")
        (studio.rushes / "clip.mp4").symlink_to(tmp_path / "real.mp4")
        [intake] = studio.bring()
        assert not (intake.project / "clip.mp4").is_symlink()
        assert studio.tree() == {"rushes/clip.mp4": b"real"}

    def test_videos_whose_results_would_collide_get_names_of_their_own(self, studio):
        studio.video("a.mov", b"mov")
        studio.video("a.mp4", b"mp4")
        studio.video("A.avi", b"avi")
        [intake] = studio.bring()
        assert studio.tree() == {"rushes/A.avi": b"avi", "rushes/a 2.mov": b"mov", "rushes/a 3.mp4": b"mp4"}
        assert len(intake.notes) == 2

    def test_a_converted_video_is_not_brought_in_again(self, studio):
        studio.video("clip.avi", b"original")
        [intake] = studio.bring()
        (intake.project / "originals").mkdir()
        (intake.project / "clip.avi").rename(intake.project / "originals" / "clip.avi")
        (intake.project / "clip.mp4").write_bytes(b"converted")
        assert studio.bring()[0].action == "kept"
        assert [path.name for path in find_videos(intake.project)] == ["clip.mp4"]

    def test_a_new_video_comes_in_and_results_stay(self, studio):
        studio.video("a.mp4", b"a")
        [first] = studio.bring()
        (first.project / "a.csv").write_text("results")
        studio.video("b.mp4", b"b")
        [second] = studio.bring()
        assert (second.action, second.project) == ("updated", first.project)
        assert studio.tree() == {"rushes/a.mp4": b"a", "rushes/b.mp4": b"b", "rushes/a.csv": b"results"}
        assert studio.bring()[0].action == "kept"

    def test_a_video_that_changed_takes_its_place_again(self, studio):
        clip = studio.video("a.mp4", b"half")
        studio.bring()
        clip.unlink()
        studio.video("a.mp4", b"the whole")
        assert studio.bring()[0].action == "updated"
        assert studio.tree() == {"rushes/a.mp4": b"the whole"}

    def test_a_new_video_does_not_take_the_name_of_a_converted_one(self, studio):
        studio.video("clip.avi", b"avi")
        [intake] = studio.bring()
        (intake.project / "clip.avi").rename(intake.project / "clip.mp4")
        studio.video("clip.mp4", b"mp4")
        studio.bring()
        assert studio.tree() == {"rushes/clip.mp4": b"avi", "rushes/clip 2.mp4": b"mp4"}

    def test_a_run_killed_before_it_took_note_does_not_bring_a_video_in_twice(self, studio):
        studio.video("a.mp4", b"a")
        [intake] = studio.bring()
        os.link(studio.video("b.mp4", b"b"), intake.project / "b.mp4")
        assert studio.bring()[0].action == "updated"
        assert set(studio.tree()) == {"rushes/a.mp4", "rushes/b.mp4"}

    def test_a_source_among_the_projects_is_refused(self, studio):
        studio.video("a.mp4")
        [intake] = studio.bring()
        (intake.project / "clip.mov").write_bytes(b"x")
        for path in (intake.project, intake.project / "a.mp4"):
            [source] = find_sources(path, OPTIONS)
            with pytest.raises(InputError, match="among the projects"):
                bring_in(source, studio.projects, OPTIONS)

    def test_sources_are_not_changed(self, studio):
        studio.video("a.mp4", b"a")
        studio.zip("b.zip", {"b.mp4": b"b"})
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in studio.rushes.iterdir()}
        studio.bring()
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in studio.rushes.iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="mounting a disk takes root")
class TestAnotherDisk:
    @pytest.fixture
    def disk(self, studio):
        studio.projects.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "regie-test", studio.projects],
            check=False,
            capture_output=True,
        )
        if done.returncode:
            pytest.skip("this machine mounts no disk")
        yield studio
        subprocess.run(["umount", studio.projects], check=True)

    def test_videos_are_copied(self, disk):
        clip = disk.video("a.mp4", b"a" * 1000)
        [intake] = disk.bring()
        assert intake.counts["copied"] == 1
        assert disk.tree() == {"rushes/a.mp4": b"a" * 1000}
        assert (intake.project / "a.mp4").stat().st_mtime_ns == clip.stat().st_mtime_ns

    def test_a_full_disk_is_a_clear_error_and_leaves_nothing(self, disk):
        disk.video("a.mp4", bytes(2 << 20))
        with pytest.raises(InputError, match="full"):
            disk.bring()
        assert list(disk.projects.iterdir()) == []


def test_the_project_of_a_source_is_found_without_bringing_it_in(studio):
    clip, archive = studio.video("clips/clip.mp4"), studio.zip("day.zip", {"x.mp4": b"x"})
    sources = find_sources(studio.rushes, OPTIONS) + find_sources(clip, OPTIONS)
    assert [source.kind for source in sources] == [SourceKind.ARCHIVE, SourceKind.FOLDER, SourceKind.VIDEO]
    assert [project_of(source, studio.projects) for source in sources] == [None] * 3
    made = [bring_in(source, studio.projects, OPTIONS).project for source in sources]
    assert [path.name for path in made] == ["day", "clips", "clip"]
    assert [project_of(source, studio.projects) for source in sources] == made
    shutil.copy(archive, studio.rushes / "copy.zip")
    assert project_of(find_sources(studio.rushes / "copy.zip", OPTIONS)[0], studio.projects) == made[0]
