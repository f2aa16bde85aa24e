import io
import json
import random
import stat
import struct
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from lib.video.extract.extraction import extract_archive
from lib.video.extract.formats.sevenzip import program
from lib.video.extract.options import ExtractOptions

TESTDATA = Path(__file__).parents[5] / "shared" / "testdata" / "archives"


def noise(count, seed=1):
    """Bytes that do not compress, as video does not."""
    return random.Random(seed).randbytes(count)


def zip_member(name, mode=0, system=3):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = system
    info.external_attr = mode << 16
    return info


def tar_member(name, kind=tarfile.REGTYPE, target="", **headers):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    info.pax_headers = headers
    return info


class Bench:
    """A folder to unpack in, and what came of it."""

    noise = staticmethod(noise)
    zip_member = staticmethod(zip_member)
    tar_member = staticmethod(tar_member)
    LINK = stat.S_IFLNK | 0o777
    FIFO = stat.S_IFIFO | 0o644

    def __init__(self, folder):
        self.folder = folder
        self.projects = folder / "projects"
        self.projects.mkdir()
        self.log = folder / "security.jsonl"

    @property
    def project(self):
        return self.projects / "project"

    def unpack(self, archive, **options):
        return extract_archive(archive, self.project, ExtractOptions(keep_free_bytes=0, **options), self.log)

    def content(self):
        return {
            path.relative_to(self.project).as_posix(): path.read_bytes()
            for path in self.project.rglob("*")
            if path.is_file()
        }

    def refused(self):
        if not self.log.exists():
            return {}
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        assert all(line.keys() == {"time", "archive", "member", "reason", "words"} for line in lines)
        return {line["member"]: line["reason"] for line in lines}

    def zip(self, members, name="a.zip", method=zipfile.ZIP_DEFLATED):
        path = self.folder / name
        with zipfile.ZipFile(path, "w", method) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return path

    def tar(self, members, name="a.tar", mode="w"):
        path = self.folder / name
        with tarfile.open(path, mode) as archive:
            for member, content in members.items():
                info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return path

    def seven_zip(self, *arguments, cwd=None, stdin=None):
        command = [program(), *arguments, "-y"]
        subprocess.run(command, check=True, cwd=cwd or self.folder, input=stdin, capture_output=True)

    def seven_z(self, members, name="a.7z", *switches):
        """Members get their names when they are in: those may be names that no file can have."""
        path, tree = self.folder / name, self.folder / f"tree of {name}"
        tree.mkdir()
        for number, content in enumerate(members.values()):
            (tree / str(number)).write_bytes(content)
        self.seven_zip("a", *switches, path, *map(str, range(len(members))), cwd=tree)
        passwords = [switch for switch in switches if switch.startswith(("-p", "-t"))]
        pairs = [text for number, member in enumerate(members) for text in (str(number), member)]
        self.seven_zip("rn", *passwords, path, *pairs)
        return path

    def rar(self, members, name="a.rar"):
        path = self.folder / name
        path.write_bytes(rar5(members))
        return path


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def rar_samples():
    if not TESTDATA.is_dir():
        pytest.skip("../shared/testdata/archives is not there")
    return TESTDATA


def rar5(members):
    """An archive of RAR 5 with stored members: name → content, or (kind of link, target)."""
    out = b"Rar!\x1a\x07\x01\x00" + _block(_number(1) + _number(0) + _number(0))
    for name, content in members.items():
        link = content if isinstance(content, tuple) else None
        data = b"" if link else content
        extra = b""
        if link:
            kind, target = link
            record = _number(5) + _number(kind) + _number(0) + _number(len(target)) + target
            extra = _number(len(record)) + record
        raw = name.encode()
        body = _number(2) + _number(2 | bool(extra)) + (_number(len(extra)) if extra else b"") + _number(len(data))
        body += _number(4) + _number(len(data)) + _number(0o120777 if link else 0o100644)
        body += struct.pack("<I", zlib.crc32(data)) + _number(0) + _number(1) + _number(len(raw)) + raw + extra
        out += _block(body) + data
    return out + _block(_number(5) + _number(0) + _number(0))


def _block(body):
    blob = _number(len(body)) + body
    return struct.pack("<I", zlib.crc32(blob)) + blob


def _number(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
