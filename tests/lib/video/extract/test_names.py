import io
import tarfile
import unicodedata
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.errors import InputError
from lib.video.extract.extraction import unpack
from lib.video.extract.names import Names, clean_name, decode_name, fold, is_junk, safe_parts
from lib.video.extract.options import ExtractOptions
from lib.video.extract.refusals import RefusedError
from lib.video.results import find_videos, is_video

TRICKY = st.sampled_from(
    ["..", ".", "...", "/", "\\", "//", "C:", "con", "nul.mp4", "COM1", " ", "\0", "\n", "\x1b", "．．", "․․", "‥",
     "／",
     "é" * 200, "🎬" * 90, "x" * 300, ".mp4", ".regie-project.json", "originals", ".x.regie-tmp", "e\u0301", "\u202e",
     "\ud800", "a", "A", "ß", "SS"]
)  # fmt: skip
MEMBER_NAMES = st.lists(TRICKY | st.text(max_size=8) | st.just("/"), max_size=8).map("".join)


@given(MEMBER_NAMES)
def test_every_name_gives_a_valid_path_below_the_project_or_is_refused(name):
    try:
        parts = safe_parts(name, 32)
    except RefusedError:
        return
    placed = Names().place(parts)
    assert not placed.is_absolute()
    assert placed.parts
    for part in placed.parts:
        assert part not in {"", ".", ".."}
        assert 1 <= len(part.encode()) <= 255
        assert not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in part)
        assert not any(separator in part for separator in "/\\")
        assert part[-1] not in " ."
        assert part == unicodedata.normalize("NFC", part)
        assert not part.startswith(".regie")
        assert part.casefold() != "originals"


@given(st.lists(MEMBER_NAMES, max_size=30))
def test_paths_are_kept_apart_also_without_case_and_for_stems_of_videos(names):
    place, paths = Names(), []
    for name in names:
        try:
            paths.append(place.place(safe_parts(name, 32)))
        except RefusedError:
            continue
    folded = [fold(str(path)) for path in paths]
    assert len(set(folded)) == len(folded)
    # No path is a folder of another one.
    folders = {fold(str(parent)) for path in paths for parent in path.parents}
    assert not folders & set(folded)
    videos = [(fold(str(path.parent)), fold(path.stem)) for path in paths if is_video(path)]
    assert len(set(videos)) == len(videos)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(names=st.lists(MEMBER_NAMES, min_size=1, max_size=6), kind=st.sampled_from(["zip", "tar"]))
def test_nothing_is_written_outside_whatever_the_members_are_called(tmp_path_factory, names, kind):
    folder = tmp_path_factory.mktemp("outer")
    inner = folder / "inner"
    inner.mkdir()
    archive = folder / "archive"
    archive.write_bytes(zip_of(names) if kind == "zip" else tar_of(names))
    try:
        extraction = unpack(archive, inner, ExtractOptions(keep_free_bytes=0), folder / "log")
    except InputError:
        extraction = None
    assert {path.name for path in folder.iterdir()} <= {"inner", "archive", "log"}
    files = [path for path in inner.rglob("*") if not path.is_dir()]
    assert all(path.is_file() and not path.is_symlink() for path in files)
    assert all(path.read_bytes() == b"content" for path in files)
    assert extraction is None or len(files) == extraction.files


def zip_of(names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name.encode("utf-8", "replace").decode()
            archive.NameToInfo.clear()  # It would warn of names that are there twice.
            archive.writestr(info, b"content")
    return stream.getvalue()


def tar_of(names):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT, errors="surrogatepass") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 7
            archive.addfile(info, io.BytesIO(b"content"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("raw", "dos", "name"),
    [
        ("Été 🎬.mp4".encode(), False, "Été 🎬.mp4"),
        ("Été.mp4".encode("latin-1"), False, "Été.mp4"),
        ("Été.mp4".encode("cp1252"), True, "Été.mp4"),
        ("grösser.mp4".encode("cp437"), True, "grösser.mp4"),
        ("Straße größer.mp4".encode("cp437"), True, "Straße größer.mp4"),
        ("Straße größer.mp4".encode("latin-1"), False, "Straße größer.mp4"),
        (b"\x81\x8d\x8f\x90\x9d.mp4", False, "üìÅÉ¥.mp4"),
    ],
)
def test_names_without_an_encoding_are_read_sensibly(raw, dos, name):
    assert decode_name(raw, dos=dos) == name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("clip 'one' \"two\" 🎬.mp4", "clip 'one' \"two\" 🎬.mp4"),
        ("new\nline\ttab.mp4", "new_line_tab.mp4"),
        ("NUL.mp4", "_NUL.mp4"),
        ("con", "_con"),
        ("console.mp4", "console.mp4"),
        ("end. . ", "end"),
        ("e\u0301.mp4", "é.mp4"),
        (".regie-project.json", "_regie-project.json"),
        (".abc.regie-tmp", "_abc.regie-tmp"),
        ("Originals", "_Originals"),
        (".hidden", ".hidden"),
        ("", "_"),
    ],
)
def test_names_are_changed_as_little_as_can_be(name, clean):
    assert clean_name(name, file=True) == clean


def test_a_long_name_is_cut_between_letters_and_keeps_its_suffix():
    assert clean_name("é" * 300 + ".jpeg", file=True) == "é" * 125 + ".jpeg"
    assert len(clean_name("x" * 300).encode()) == 255
    assert clean_name("a." + "x" * 300, file=True) == "a." + "x" * 253


def test_the_stem_of_a_video_leaves_room_for_the_names_of_its_results():
    name = clean_name("x" * 251 + ".mp4", file=True)
    stem = name.removesuffix(".mp4")
    assert len(f"{stem}_tracking.json") <= 255


def test_junk_of_operating_systems():
    assert is_junk("__MACOSX/a/._clip.mp4")
    assert is_junk("a/.DS_Store")
    assert is_junk("a\\Thumbs.db")
    assert is_junk("desktop.ini")
    assert not is_junk("a/clip._mp4")


class TestInArchives:
    def test_names_that_would_meet_are_kept_apart(self, bench):
        members = {"Clip.mp4": b"1", "clip.MP4": b"2", "CLIP.mov": b"3", "cli\tp.mp4": b"4", "cli_p.mp4": b"5"}
        bench.unpack(bench.zip(members))
        assert bench.content() == {
            "Clip.mp4": b"1",
            "clip 2.MP4": b"2",
            "CLIP 3.mov": b"3",
            "cli_p.mp4": b"4",
            "cli_p 2.mp4": b"5",
        }

    def test_files_and_folders_of_one_name_all_come_out(self, bench):
        one, two = bench.tar_member("a.txt"), bench.tar_member("a.txt")
        bench.unpack(bench.tar({one: b"1", two: b"2", "A.TXT": b"3", "a.txt/b.txt": b"4", "A.txt/c.txt": b"5"}))
        assert bench.content() == {
            "a.txt": b"1",
            "a 2.txt": b"2",
            "A 3.TXT": b"3",
            "a.txt 2/b.txt": b"4",
            "a.txt 2/c.txt": b"5",
        }

    def test_junk_is_left_out_and_a_single_top_folder_too(self, bench):
        members = {
            "Day 1/clip.mp4": b"clip",
            "Day 1/._clip.mp4": b"junk",
            "Day 1/Day 1/b.mp4": b"b",
            "__MACOSX/Day 1/._clip.mp4": b"junk",
            ".DS_Store": b"junk",
            "Thumbs.db": b"junk",
        }
        extraction = bench.unpack(bench.zip(members))
        assert bench.content() == {"clip.mp4": b"clip", "Day 1/b.mp4": b"b"}
        assert (extraction.files, extraction.junk) == (2, 4)

    def test_the_top_folder_stays_when_wanted(self, bench):
        bench.unpack(bench.zip({"top/a.mp4": b"a"}), flatten=False)
        assert bench.content() == {"top/a.mp4": b"a"}

    def test_a_name_of_255_bytes_keeps_its_content(self, bench):
        bench.unpack(bench.tar({"n" * 251 + ".mp4": b"video", "é" * 125 + ".text": b"text"}))
        assert sorted(bench.content().values()) == [b"text", b"video"]
        assert len(find_videos(bench.project)) == 1

    def test_latin_1_names_of_a_tar(self, bench):
        path = bench.folder / "a.tar"
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
            archive.addfile(tarfile.TarInfo("Été.mp4"))
        bench.unpack(path)
        assert set(bench.content()) == {"Été.mp4"}

    @pytest.mark.parametrize("encoding", ["cp437", "utf-8", "latin-1"])
    def test_names_of_a_zip_without_an_encoding(self, bench, encoding):
        raw = "Été.mp4".encode(encoding)
        path = bench.zip({"x" * len(raw): b"video"})
        path.write_bytes(path.read_bytes().replace(b"x" * len(raw), raw))
        bench.unpack(path)
        assert set(bench.content()) == {"Été.mp4"}

    def test_videos_in_a_folder_called_originals_are_found_as_others_are(self, bench):
        bench.unpack(bench.zip({"originals/a.mp4": b"a", "b.mp4": b"b"}))
        assert len(find_videos(bench.project)) == 2

    def test_a_file_with_the_name_of_a_result_makes_room_for_it(self, bench):
        bench.unpack(
            bench.zip(
                {"clip.csv": b"camera log", "clip.mp4": b"video", "clip_ae.json": b"notes", "other.csv": b"other"}
            )
        )
        assert bench.content() == {
            "clip 2.csv": b"camera log",
            "clip.mp4": b"video",
            "clip_ae 2.json": b"notes",
            "other.csv": b"other",
        }

    def test_the_archive_is_deleted_only_when_all_of_it_came_out(self, bench):
        partly = bench.zip({"a.mp4": b"a", bench.zip_member("../b.mp4"): b"b"}, "partly.zip")
        assert not bench.unpack(partly, delete_archive=True).deleted
        assert partly.exists()
        bench.project.rename(bench.projects / "other")
        whole = bench.zip({"a.mp4": b"a", ".DS_Store": b"junk"}, "whole.zip")
        assert bench.unpack(whole, delete_archive=True).deleted
        assert not whole.exists()
