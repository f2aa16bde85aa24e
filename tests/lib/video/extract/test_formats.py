import bz2
import contextlib
import gzip
import io
import lzma
import random
import shutil
import tarfile
import zipfile

import pytest
import zstandard

from lib.errors import InputError
from lib.video.extract.formats import detect, is_later_volume, name_without_suffixes, volumes_of
from lib.video.extract.formats.sevenzip import SevenZipArchive
from lib.video.extract.formats.tar import TarArchive
from lib.video.extract.formats.zip import ZipArchive


def content(bench):
    return {"day/clip.mp4": bench.noise(3_000_000), "notes.txt": b"take 2 is better", "day/empty.txt": b""}


MAKERS = {
    "zip": lambda b, m: b.zip(m, "a.bin"),
    "zip stored": lambda b, m: b.zip(m, "a.bin", zipfile.ZIP_STORED),
    "zip bzip2": lambda b, m: b.zip(m, "a.bin", zipfile.ZIP_BZIP2),
    "zip lzma": lambda b, m: b.zip(m, "a.bin", zipfile.ZIP_LZMA),
    "zip deflate64": lambda b, m: b.seven_z(m, "a.bin", "-tzip", "-mm=Deflate64"),
    "tar": lambda b, m: b.tar(m, "a.bin"),
    "tar.gz": lambda b, m: b.tar(m, "a.bin", "w:gz"),
    "tar.bz2": lambda b, m: b.tar(m, "a.bin", "w:bz2"),
    "tar.xz": lambda b, m: b.tar(m, "a.bin", "w:xz"),
    "tar.zst": lambda b, m: packed(b.tar(m, "a.bin"), zstandard.ZstdCompressor().compress),
    "7z": lambda b, m: b.seven_z(m, "a.bin", "-t7z", "-mx1"),
    "rar": lambda b, m: b.rar(m, "a.bin"),
}


def packed(path, compress):
    path.write_bytes(compress(path.read_bytes()))
    return path


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_what_is_packed_comes_out_whatever_the_archive_is_called(bench, make):
    members = content(bench)

    extraction = bench.unpack(make(bench, members))

    assert bench.content() == members
    assert (extraction.files, extraction.bytes) == (3, sum(map(len, members.values())))
    assert not bench.log.exists()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_an_archive_cut_short_is_a_clear_error_and_leaves_nothing(bench, make):
    archive = make(bench, content(bench))
    archive.write_bytes(archive.read_bytes()[:2_000_000])

    with pytest.raises(InputError, match=r"truncated or damaged"):
        bench.unpack(archive)

    assert list(bench.projects.iterdir()) == []


@pytest.mark.parametrize("make", [MAKERS["zip stored"], MAKERS["tar.gz"], MAKERS["7z"], MAKERS["rar"]])
def test_content_that_does_not_fit_its_check_sum_is_a_clear_error(bench, make):
    archive = make(bench, content(bench))
    data = bytearray(archive.read_bytes())
    data[1_000_000] ^= 0xFF
    archive.write_bytes(data)

    with pytest.raises(InputError, match="damaged"):
        bench.unpack(archive)

    assert list(bench.projects.iterdir()) == []


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_whatever_is_wrong_in_an_archive_is_a_clear_error_or_harmless(bench, make):
    good = make(bench, {"day/clip.mp4": bench.noise(300), "Été.txt": b"hello" * 20, "e.txt": b""}).read_bytes()
    chance = random.Random(len(good))
    for _ in range(40):
        bad = bytearray(good)
        for _ in range(chance.choice([1, 2, 5])):
            bad[chance.randrange(min(len(bad), 3000))] = chance.choice([0, 0xFF, chance.randrange(256)])
        (bench.folder / "bad").write_bytes(bad)
        with contextlib.suppress(InputError):
            bench.unpack(bench.folder / "bad")
        shutil.rmtree(bench.project, ignore_errors=True)
        assert list(bench.projects.iterdir()) == []


def test_folders_packed_in_one_solid_block_come_out_right(bench):
    tree = bench.folder / "tree"
    members = {f"top/{i % 7}/{i}.mp4": bench.noise(1000, i) for i in range(200)}
    for name, data in members.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    bench.seven_zip("a", "-snl", bench.folder / "solid.7z", "top", cwd=tree)

    bench.unpack(bench.folder / "solid.7z")

    assert bench.content() == {name.removeprefix("top/"): data for name, data in members.items()}


class TestRealRarFiles:
    """Made by RAR itself."""

    def test_folders(self, bench, rar_samples):
        bench.unpack(rar_samples / "rar3-subdirs.rar")
        assert set(bench.content()) == {
            "dir1/file1.txt",
            "dir2/file2.txt",
            "with space/long fn.txt",
            "üȵĩöḋè/file.txt",
        }

    def test_version_5(self, bench, rar_samples):
        bench.unpack(rar_samples / "rar5-crc.rar")
        assert {name: len(data) for name, data in bench.content().items()} == {"stest1.txt": 2048, "stest2.txt": 2048}

    def test_copies_within_the_archive_are_files(self, bench, rar_samples):
        bench.unpack(rar_samples / "rar5-dups.rar")
        assert len(bench.content()) == 9
        assert len(set(bench.content().values())) == 1

    def test_links_are_refused(self, bench, rar_samples):
        bench.unpack(rar_samples / "rar3-symlink-unix.rar")
        assert set(bench.content()) == {"data.txt"}
        assert bench.refused() == {"data_link": "symbolic_link", "random_link": "symbolic_link"}

    def test_hard_links_are_refused(self, bench, rar_samples):
        bench.unpack(rar_samples / "rar5-hlink.rar")
        assert set(bench.content()) == {"stest1.txt"}
        assert bench.refused() == {"stest2.txt": "hard_link", "stest3.txt": "hard_link"}

    def test_an_encrypted_one_is_a_clear_error(self, bench, rar_samples):
        with pytest.raises(InputError, match="encrypted"):
            bench.unpack(rar_samples / "rar5-psw.rar")

    def test_volumes_are_one_archive(self, bench, rar_samples):
        bench.unpack(rar_samples / "rar3-vols.part1.rar")
        assert {name: len(data) for name, data in bench.content().items()} == {
            "bigfile.txt": 205000,
            "smallfile.txt": 2050,
        }
        names = [path.name for path in volumes_of(rar_samples / "rar3-vols.part1.rar")]
        assert names == ["rar3-vols.part1.rar", "rar3-vols.part2.rar", "rar3-vols.part3.rar"]

    def test_a_missing_volume_is_named(self, bench, rar_samples):
        shutil.copy(rar_samples / "rar3-vols.part1.rar", bench.folder)
        shutil.copy(rar_samples / "rar3-vols.part3.rar", bench.folder)
        with pytest.raises(InputError, match=r"volume .* is missing: .*part2\.rar"):
            bench.unpack(bench.folder / "rar3-vols.part1.rar")

    def test_a_later_volume_is_not_the_archive(self, bench, rar_samples):
        assert is_later_volume(rar_samples / "rar3-vols.part2.rar")
        assert not is_later_volume(rar_samples / "rar3-vols.part1.rar")
        with pytest.raises(InputError, match="first one"):
            bench.unpack(rar_samples / "rar3-vols.part3.rar")


@pytest.mark.parametrize("kind", ["7z", "zip"])
def test_an_archive_cut_in_pieces_is_put_together(bench, kind):
    data = bench.noise(50_000)
    (bench.folder / "clip.mp4").write_bytes(data)
    bench.seven_zip("a", "-v20k", bench.folder / f"a.{kind}", "clip.mp4")

    bench.unpack(bench.folder / f"a.{kind}.001")

    assert bench.content() == {"clip.mp4": data}
    assert len(volumes_of(bench.folder / f"a.{kind}.001")) == 3


def test_a_piece_that_is_missing_is_a_clear_error(bench):
    (bench.folder / "clip.mp4").write_bytes(bench.noise(50_000))
    bench.seven_zip("a", "-v20k", bench.folder / "a.7z", "clip.mp4")
    (bench.folder / "a.7z.003").unlink()

    with pytest.raises(InputError, match="missing"):
        bench.unpack(bench.folder / "a.7z.001")


@pytest.mark.parametrize("switches", [["-psecret"], ["-psecret", "-mhe=on"], ["-tzip", "-psecret"]])
def test_an_encrypted_archive_is_a_clear_error(bench, switches):
    archive = bench.seven_z({"clip.mp4": b"secret"}, "a.bin", *switches)
    with pytest.raises(InputError, match="encrypted"):
        bench.unpack(archive)
    assert list(bench.projects.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"plain text", "no archive"), (bytes(4096), "no archive"), (gzip.compress(b"x"), "no archive")],
)
def test_what_is_no_archive_is_said_to_be_none(bench, data, words):
    path = bench.folder / "a.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words):
        bench.unpack(path)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_without_files_is_a_clear_error(bench, mode):
    with pytest.raises(InputError, match="holds no file"):
        bench.unpack(bench.tar({bench.tar_member("folder", tarfile.DIRTYPE): b""}, mode=mode))


def test_the_format_is_known_by_content(bench):
    tar = bench.tar({"a": b"a"})
    assert detect(tar) is TarArchive
    for compress in (gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress):
        (bench.folder / "x").write_bytes(compress(tar.read_bytes()))
        assert detect(bench.folder / "x") is TarArchive
    assert detect(bench.zip({"a": b"a"})) is ZipArchive
    assert detect(bench.rar({"a": b"a"})) is SevenZipArchive
    (bench.folder / "x").write_bytes(bench.noise(1000))
    assert detect(bench.folder / "x") is None


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("rushes.zip", "rushes"),
        ("v1.2 rushes.tar.gz", "v1.2 rushes"),
        ("rushes.part01.rar", "rushes"),
        ("rushes.7z.001", "rushes"),
        ("Rushes.TGZ", "Rushes"),
        ("rushes.dat", "rushes.dat"),
        (".zip", ".zip"),
        ("part1.zip", "part1"),
    ],
)
def test_a_project_is_called_after_its_archive(tmp_path, name, stem):
    assert name_without_suffixes(tmp_path / name) == stem


class TestTarHeaders:
    def test_long_and_foreign_names(self, bench):
        long = "folder/" * 20 + "é" * 90 + ".mp4"
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            stream = io.BytesIO()
            with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
                for name in (long, "other.mp4"):
                    info = tarfile.TarInfo(name)
                    info.size = 3
                    archive.addfile(info, io.BytesIO(b"abc"))
            (bench.folder / "a.tar").write_bytes(stream.getvalue())
            bench.unpack(bench.folder / "a.tar")
            assert set(bench.content()) == {long, "other.mp4"}
            shutil.rmtree(bench.project)

    def test_a_huge_extended_header_is_not_read(self, bench):
        info = bench.tar_member("x", tarfile.XHDTYPE)
        info.size = 1 << 40
        (bench.folder / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
        with pytest.raises(InputError, match="damaged"):
            bench.unpack(bench.folder / "a.tar")

    def test_a_long_chain_of_headers_ends(self, bench):
        info = bench.tar_member("x", tarfile.XHDTYPE)
        (bench.folder / "a.tar.gz").write_bytes(gzip.compress(info.tobuf() * 100_000))
        with pytest.raises(InputError, match="damaged"):
            bench.unpack(bench.folder / "a.tar.gz")

    @pytest.mark.parametrize(
        "record",
        [
            b"99999 path=x\n",
            b"path",
            b"0 path=x\n",
            b"2 path=x\n",
            b"00000000000000000000 a=b\n",
            b"a=b 1 ",
            b"11 path\n",
            b"1" * 5000,
        ],
    )
    def test_a_broken_extended_header_is_a_clear_error(self, bench, record):
        info = bench.tar_member("x", tarfile.XHDTYPE)
        info.size = len(record)
        (bench.folder / "a.tar").write_bytes(info.tobuf() + record + bytes(-len(record) % 512) + bytes(2048))
        with pytest.raises(InputError, match="damaged"):
            bench.unpack(bench.folder / "a.tar")

    def test_a_negative_size_is_a_clear_error(self, bench):
        info = bench.tar_member("x")
        info.size = -512
        (bench.folder / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
        with pytest.raises(InputError, match="damaged"):
            bench.unpack(bench.folder / "a.tar")

    def test_a_file_with_holes_is_refused_and_the_next_one_found(self, bench):
        holes = bench.folder / "holes.mp4"
        with holes.open("wb") as stream:
            for piece in range(12):
                stream.seek(piece << 20)
                stream.write(b"x")
        (bench.folder / "b.mp4").write_bytes(b"b")
        for form in ("gnu", "posix"):
            archive = bench.folder / f"{form}.tar"
            subprocess_tar(bench, "-S", f"--format={form}", "-cf", archive, "holes.mp4", "b.mp4")
            bench.unpack(archive)
            assert bench.content() == {"b.mp4": b"b"}
            assert bench.refused() == {"holes.mp4": "sparse"}
            shutil.rmtree(bench.project)


def subprocess_tar(bench, *arguments):
    import subprocess

    if shutil.which("tar") is None:
        pytest.skip("there is no tar program here")
    subprocess.run(["tar", *arguments], cwd=bench.folder, check=True)
