"""Each bad input is a right result or an error that a person understands, and nothing is left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.errors import InputError
from lib.video.convert.convert import convert_video
from lib.video.convert.options import ConvertOptions

OPTIONS = ConvertOptions(encoder="x264", preset="ultrafast")

CONTENTS = {
    "empty": (b"", "empty"),
    "text": (b"To be or not to be\n" * 99, "not a video"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a video"),
    "playlist": (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n../secret.ts\n", "not a video"),
    "list": (b"ffconcat version 1.0\nfile '../secret.mp4'\n", "not a video"),
    "noise": (bytes(range(256)) * 400, "not a video"),
    "box": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "truncated"),
}


def refused(video, words):
    before = video.read_bytes()
    with pytest.raises(InputError, match=words) as caught:
        convert_video(video, OPTIONS)
    assert video.name not in str(caught.value)
    assert video.read_bytes() == before
    assert [path.name for path in video.parent.iterdir()] == [video.name]


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_what_is_no_video(tmp_path, kind, suffix):
    content, words = CONTENTS[kind]
    video = tmp_path / f"a{suffix}"
    video.write_bytes(content)
    refused(video, words)


def test_sound_alone(tmp_path, ffmpeg):
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", tmp_path / "a.mp4")
    refused(tmp_path / "a.mp4", "only sound")


def test_no_index(make, tmp_path):
    video = make("a.mp4", seconds=3)
    video.write_bytes(video.read_bytes()[:-2000])
    refused(video, "truncated")


def test_a_header_and_no_picture(make):
    video = make("a.mkv")
    video.write_bytes(video.read_bytes()[:700])
    refused(video, "decoded|not a video|cut short")


def tmpfs(folder, options):
    """Mount a small file system of its own, where this user may; the test is skipped elsewhere."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("only root may mount a file system")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("this root may not mount a file system")


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    tmpfs(folder, "size=1m")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_full_disk(make, disk, suffix):
    source = make(f"a{suffix}", "-b:v", "400k", "-c:v", "mpeg4", size="640x480", seconds=4)
    video = disk / source.name
    video.write_bytes(source.read_bytes())
    refused(video, "disk is full")


def test_a_full_disk_to_the_last_byte(make, disk):
    source = make("a.mp4")
    video = disk / "a.mp4"
    video.write_bytes(source.read_bytes())
    filler = disk / "filler"
    free = os.statvfs(disk)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize))
    with pytest.raises(InputError, match="disk is full"):
        convert_video(video, OPTIONS)
    assert sorted(path.name for path in disk.iterdir()) == ["a.mp4", "filler"]
    filler.unlink()
    assert convert_video(video, OPTIONS).action == "converted"


def test_a_read_only_folder(make, tmp_path):
    source = make("a.mp4")
    folder = tmp_path / "locked"
    folder.mkdir()
    if os.geteuid() == 0:
        tmpfs(folder, "size=1m")
    (folder / "a.mp4").write_bytes(source.read_bytes())
    if os.geteuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    else:
        folder.chmod(0o500)
    try:
        refused(folder / "a.mp4", "written")
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(folder)], check=True)
        else:
            folder.chmod(0o700)


def test_originals_is_a_file(make, tmp_path):
    video = make("a.mp4")
    before = video.read_bytes()
    (tmp_path / "originals").write_text("not a folder")
    with pytest.raises(InputError, match="written"):
        convert_video(video, OPTIONS)
    assert video.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "originals"]


PROBE = """
import sys
from pathlib import Path
from lib.video.media import probe
media = probe(Path(sys.argv[1]))
assert media.constant
print(media.frames)
"""


def test_two_hours_are_probed_in_the_memory_of_seconds(make, tmp_path, ffmpeg, peak_of):
    short = make("short.mkv", "-c:v", "mpeg4", "-bf", 0, rate=25, seconds=4, size="16x16")
    long = tmp_path / "long.mkv"
    ffmpeg("-stream_loop", 1800, "-i", short, "-c", "copy", long)
    (few, low), (many, high) = peak_of(PROBE, short), peak_of(PROBE, long)
    assert (few, many) == ("100", "180100")
    assert high - low < 15_000


@pytest.mark.skipif(sys.platform != "linux", reason="counts them in /proc")
def test_file_descriptors_are_given_back(make):
    video = make("a.mp4", seconds=0.2)
    before = len(list(Path("/proc/self/fd").iterdir()))
    convert_video(video, OPTIONS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
