import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.files import is_temporary, sweep
from lib.video.extract.formats import open_archive

MIB = 1 << 20

EVIL_NAMES = {
    "../evil.mp4": "parent_path",
    "a/../../evil.mp4": "parent_path",
    "..\\evil.mp4": "parent_path",
    "/etc/evil.mp4": "absolute_path",
    "C:\\evil.mp4": "drive_letter",
    "c:evil.mp4": "drive_letter",
    "\\\\server\\share\\evil.mp4": "network_path",
    "//server/share/evil.mp4": "network_path",
    "a/.. /evil.mp4": "escapes_when_normalised",
    "a/.../evil.mp4": "escapes_when_normalised",
    "․․/evil.mp4": "escapes_when_normalised",
    "／etc/evil.mp4": "escapes_when_normalised",
    "a/‥/‥/evil.mp4": "escapes_when_normalised",
    "/".join("d" * 40) + "/evil.mp4": "too_deep",
    "/".join(["x" * 200] * 20) + "/evil.mp4": "path_too_long",
}
GOOD = {"good.mp4": b"good"}


class TestNamesThatEscape:
    def check(self, bench, archive):
        extraction = bench.unpack(archive)
        assert bench.content() == GOOD
        assert bench.refused() == EVIL_NAMES
        assert sum(extraction.refused.values()) == len(EVIL_NAMES)
        assert not list(bench.folder.parent.rglob("*evil*"))

    def test_zip(self, bench):
        members = {bench.zip_member(name): b"evil" for name in EVIL_NAMES}
        self.check(bench, bench.zip({**members, **GOOD}))

    @pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
    def test_tar(self, bench, mode):
        self.check(bench, bench.tar({**dict.fromkeys(EVIL_NAMES, b"evil"), **GOOD}, mode=mode))

    def test_rar(self, bench):
        # RAR has one separator: 7-Zip shows a backslash in a name as another letter.
        names = {name: reason for name, reason in EVIL_NAMES.items() if "\\" not in name}
        archive = bench.rar({**dict.fromkeys(names, b"evil"), **GOOD})
        bench.unpack(archive)
        assert bench.content() == GOOD
        assert bench.refused() == names

    def test_seven_zip(self, bench):
        names = {name: reason for name, reason in EVIL_NAMES.items() if "\\" not in name}
        bench.unpack(bench.seven_z({**dict.fromkeys(names, b"evil"), **GOOD}))
        assert bench.content() == GOOD
        assert set(bench.refused().values()) <= set(names.values())
        assert len(bench.refused()) == len(names)


class TestLinksAndDevices:
    def test_tar(self, bench):
        kinds = {
            "symbolic": (tarfile.SYMTYPE, "symbolic_link"),
            "hard": (tarfile.LNKTYPE, "hard_link"),
            "pipe": (tarfile.FIFOTYPE, "device"),
            "disk": (tarfile.BLKTYPE, "device"),
            "terminal": (tarfile.CHRTYPE, "device"),
            "unknown": (b"Z", "device"),
        }
        members = {bench.tar_member(name, kind, "/etc/passwd"): b"" for name, (kind, _) in kinds.items()}

        bench.unpack(bench.tar({**members, **GOOD}))

        assert bench.content() == GOOD
        assert bench.refused() == {name: reason for name, (_, reason) in kinds.items()}

    def test_a_link_does_not_take_the_files_behind_it_along(self, bench):
        outside = bench.folder / "outside"
        outside.mkdir()
        members = {
            bench.tar_member("link", tarfile.SYMTYPE, str(outside)): b"",
            "link/evil.mp4": b"evil",
        }
        bench.unpack(bench.tar(members), flatten=False)
        assert bench.content() == {"link/evil.mp4": b"evil"}
        assert list(outside.iterdir()) == []

    def test_zip(self, bench):
        members = {bench.zip_member("link", bench.LINK): b"/etc/passwd", bench.zip_member("pipe", bench.FIFO): b""}
        bench.unpack(bench.zip({**members, **GOOD}))
        assert bench.content() == GOOD
        assert bench.refused() == {"link": "symbolic_link", "pipe": "device"}

    def test_rar(self, bench):
        links = {"link": (1, b"/etc/passwd"), "junction": (3, b"C:\\x"), "hard": (4, b"good.mp4")}
        bench.unpack(bench.rar({**GOOD, **links}))
        assert bench.content() == GOOD
        assert bench.refused() == {"link": "symbolic_link", "junction": "symbolic_link", "hard": "hard_link"}

    def test_seven_zip(self, bench):
        tree = bench.folder / "tree"
        tree.mkdir()
        (tree / "good.mp4").write_bytes(b"good")
        (tree / "link").symlink_to("/etc/passwd")
        bench.seven_zip("a", "-snl", bench.folder / "a.7z", "good.mp4", "link", cwd=tree)
        bench.unpack(bench.folder / "a.7z")
        assert bench.content() == GOOD
        assert bench.refused() == {"link": "symbolic_link"}


def zeros_zip(path, size, declared=None):
    """A ZIP of zeros: what they deflate to is the same again and again, so that nobody has to deflate them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packer.compress(bytes(MIB))
    packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    data = block * (size // (16 * MIB)) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("bomb.mp4", data)
        archive.writestr("good.mp4", b"good")
    raw = bytearray(stored.getvalue())
    # Turned from stored into deflated, of the size that is declared.
    for at, method, real in ((0, 8, 22), (raw.index(b"PK\x01\x02"), 10, 24)):
        raw[at + method : at + method + 2] = (8).to_bytes(2, "little")
        raw[at + real : at + real + 4] = (declared or size).to_bytes(4, "little")
    path.write_bytes(raw)
    return path


def tar_bomb(path, size, pack):
    info = tarfile.TarInfo("bomb.mp4")
    info.size = size
    good = tarfile.TarInfo("good.mp4")
    good.size = 4
    with pack(path) as stream:
        stream.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size // (16 * MIB)):
            stream.write(bytes(16 * MIB))
        stream.write(good.tobuf() + b"good" + bytes(508) + bytes(1024))
    return path


def zstd_writer(path):
    import zstandard

    return zstandard.ZstdCompressor(level=1).stream_writer(path.open("wb"))


class TestBombs:
    def test_ten_gigabytes_of_zeros(self, bench):
        archive = tar_bomb(bench.folder / "a.tar.zst", 10 << 30, zstd_writer)
        assert archive.stat().st_size < 2 * MIB

        extraction = bench.unpack(archive)

        assert bench.content() == GOOD
        assert bench.refused() == {"bomb.mp4": "ratio"}
        assert extraction.bytes == 4

    def test_a_zip_that_says_so(self, bench):
        bench.unpack(zeros_zip(bench.folder / "a.zip", 3 << 30))
        assert bench.content() == GOOD
        assert bench.refused() == {"bomb.mp4": "ratio"}

    def test_a_zip_that_lies_about_its_size_is_damaged(self, bench):
        with pytest.raises(InputError, match="damaged"):
            bench.unpack(zeros_zip(bench.folder / "a.zip", 1 << 30, declared=1000))
        assert list(bench.projects.iterdir()) == []

    def test_a_solid_archive(self, bench):
        tree = bench.folder / "tree"
        tree.mkdir()
        with (tree / "bomb.mp4").open("wb") as stream:
            stream.truncate(300 * MIB)
        (tree / "good.mp4").write_bytes(b"good")
        bench.seven_zip("a", "-mx1", bench.folder / "a.7z", "bomb.mp4", "good.mp4", cwd=tree)
        bench.unpack(bench.folder / "a.7z")
        assert bench.content() == GOOD
        assert bench.refused() == {"bomb.mp4": "ratio"}

    def test_many_members_that_are_dense_together(self, bench):
        members = {f"{number}.mp4": bytes(MIB) for number in range(20)}
        extraction = bench.unpack(bench.zip(members), ratio_from_bytes=4 * MIB)
        assert extraction.files == 4
        assert set(bench.refused().values()) == {"ratio"}

    def test_small_dense_files_are_no_bomb(self, bench):
        assert bench.unpack(bench.zip({"log.txt": bytes(30 * MIB)})).refused == {}

    def test_limits_of_a_member_and_of_all(self, bench):
        members = {"1.mp4": bytes(100), "2.mp4": bytes(300), "3.mp4": bytes(150), "4.mp4": bytes(50)}
        bench.unpack(bench.zip(members), max_member_bytes=200, max_total_bytes=200)
        assert set(bench.content()) == {"1.mp4", "4.mp4"}
        assert bench.refused() == {"2.mp4": "member_bytes", "3.mp4": "total_bytes"}

    def test_unpacking_for_nothing_has_an_end(self, bench):
        archive = tar_bomb(bench.folder / "a.tar.zst", 1 << 30, zstd_writer)
        with pytest.raises(InputError, match="endless"):
            bench.unpack(archive, max_skipped_bytes=500 * MIB)
        assert list(bench.projects.iterdir()) == []
        assert bench.log.read_text().splitlines()[-1].count("skipped_bytes") == 1

    @pytest.mark.parametrize("make", ["zip", "tar", "rar"])
    def test_more_members_than_allowed_are_a_clear_error(self, bench, make):
        archive = getattr(bench, make)({f"{number}.mp4": b"x" for number in range(11)})
        with pytest.raises(InputError, match="more than 10 members"):
            bench.unpack(archive, max_members=10)
        assert bench.refused() == {"": "member_count"}


@pytest.fixture
def quick_folder(tmp_path):
    """A folder in memory, where the system has one: a hundred thousand files are made and removed quickly there."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    with tempfile.TemporaryDirectory(dir=memory if roomy else tmp_path) as folder:
        yield Path(folder)


def test_a_hundred_thousand_members_take_little_time_and_memory(bench, quick_folder, peak_of):
    archive = bench.zip({f"day {number % 100}/{number}.txt": b"x" for number in range(100_000)}, method=0)
    program = textwrap.dedent(f"""
        from pathlib import Path
        from lib.video.extract.extraction import extract_archive
        from lib.video.extract.options import ExtractOptions
        options = ExtractOptions(keep_free_bytes=0)
        folder = Path({str(quick_folder)!r})
        print(extract_archive(Path({str(archive)!r}), folder / "project", options, folder / "log").files)
    """)
    began = time.monotonic()
    files, kibibytes = peak_of(program)
    assert files == "100000"
    assert kibibytes < 400_000
    assert time.monotonic() - began < 90


@pytest.mark.parametrize(("make", "count"), [("tar", 20_000), ("rar", 50_000)])
def test_members_in_great_number_are_listed_without_delay(bench, make, count):
    archive = getattr(bench, make)({f"day {number % 100}/{number}.txt": b"x" for number in range(count)})
    began = time.monotonic()
    with open_archive(archive, count) as opened:
        assert sum(len(b"".join(entry.chunks)) for entry in opened.entries()) == count
    assert time.monotonic() - began < 45


def test_an_archive_in_an_archive_is_kept_but_not_opened(bench):
    inner = bench.zip({"clip.mp4": b"x"}, "inner.zip").read_bytes()
    extraction = bench.unpack(bench.zip({"top/more.zip": inner, "top/clip.mp4": b"y"}))
    assert bench.content() == {"more.zip": inner, "clip.mp4": b"y"}
    assert extraction.nested == ("more.zip",)


def test_a_project_that_is_there_is_not_written_into(bench):
    bench.project.mkdir()
    (bench.project / "mine.txt").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        bench.unpack(bench.zip(GOOD))
    assert bench.content() == {"mine.txt": b"mine"}
    assert [path.name for path in bench.projects.iterdir()] == ["project"]


def test_when_everything_is_refused_there_is_no_project(bench):
    with pytest.raises(InputError, match=r"1 × parent_path"):
        bench.unpack(bench.zip({bench.zip_member("../a.mp4"): b"a"}))
    assert not bench.project.exists()


def test_the_log_keeps_earlier_lines_and_hides_what_could_act_on_a_terminal(bench):
    archive = bench.zip({bench.zip_member("../\x1b[2J\n\u202ea.mp4"): b"a", **GOOD})
    for _ in range(2):
        bench.unpack(archive)
        for path in bench.project.iterdir():
            path.unlink()
    assert len(bench.log.read_bytes().splitlines()) == 2
    assert b"\x1b" not in bench.log.read_bytes()
    assert bench.log.read_bytes().isascii()


@pytest.mark.skipif(os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="mounting a disk takes root")
class TestFullDisk:
    @pytest.fixture
    def disk(self, bench):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "regie-test", bench.projects],
            check=False,
            capture_output=True,
        )
        if done.returncode:
            pytest.skip("this machine mounts no disk")
        yield bench
        subprocess.run(["umount", bench.projects], check=True)

    def test_what_does_not_fit_is_not_begun(self, disk):
        with pytest.raises(InputError, match="not enough space"):
            disk.unpack(disk.zip({"clip.mp4": disk.noise(3 * MIB)}))
        assert list(disk.projects.iterdir()) == []

    def test_a_disk_that_fills_up_leaves_nothing(self, disk):
        with pytest.raises(InputError, match="space"):
            disk.unpack(disk.tar({f"{number}.mp4": disk.noise(300_000) for number in range(10)}, mode="w:gz"))
        assert list(disk.projects.iterdir()) == []

    def test_too_many_small_files_leave_nothing(self, disk):
        subprocess.run(["mount", "-o", "remount,nr_inodes=50", disk.projects], check=True)
        with pytest.raises(InputError, match="full"):
            disk.unpack(disk.zip({f"{number}.mp4": b"x" for number in range(100)}))
        assert list(disk.projects.iterdir()) == []

    def test_a_read_only_disk_is_a_clear_error(self, disk):
        archive = disk.zip(GOOD)
        subprocess.run(["mount", "-o", "remount,ro", disk.projects], check=True)
        with pytest.raises(InputError, match="read-only"):
            disk.unpack(archive)


@pytest.mark.parametrize("make", ["tar", "seven_z"])
def test_a_kill_in_the_middle_leaves_what_a_sweep_removes(bench, make):
    archive = getattr(bench, make)({f"{number}.mp4": bench.noise(200_000, number) for number in range(20)})
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from lib.video.extract.extraction import extract_archive
        from lib.video.extract.options import ExtractOptions
        def killed(done, total, item=""):
            if done > total // 2:
                os.kill(os.getpid(), signal.SIGKILL)
        extract_archive(Path({str(archive)!r}), Path({str(bench.project)!r}), ExtractOptions(keep_free_bytes=0),
                        Path({str(bench.log)!r}), killed)
    """)
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr

    [left] = bench.projects.iterdir()
    assert is_temporary(left)
    assert sweep(bench.projects) == 1
    assert list(bench.projects.iterdir()) == []
    assert bench.unpack(archive).files == 20


def test_a_progress_that_stops_the_work_leaves_nothing(bench):
    from lib.video.extract.extraction import extract_archive
    from lib.video.extract.options import ExtractOptions

    class StopError(Exception):
        pass

    def stop(done, total, item=""):
        raise StopError

    for archive in (bench.zip(GOOD), bench.seven_z(GOOD), bench.tar(GOOD)):
        with pytest.raises(StopError):
            extract_archive(archive, bench.project, ExtractOptions(), bench.log, stop)
        assert list(bench.projects.iterdir()) == []
