from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import InputError
from lib.video.scenes.table import Scene, read_scenes, timecode, write_scenes

GOLDEN = Path(__file__).parents[5] / "shared" / "testdata" / "contracts" / "video.csv"
HEADER = "No,Timecode In,Timecode Out,Frame In,Frame Out\r\n"


def test_the_contract_byte_for_byte(tmp_path):
    if not GOLDEN.exists():
        pytest.skip("needs the contract video.csv of ../shared/testdata")
    write_scenes(read_scenes(GOLDEN), Fraction(25), tmp_path / "video.csv")
    assert (tmp_path / "video.csv").read_bytes() == GOLDEN.read_bytes()


def test_what_the_contract_says(tmp_path):
    write_scenes([Scene(1, 1, 79), Scene(2, 80, 80)], Fraction(25), tmp_path / "video.csv")
    assert (tmp_path / "video.csv").read_bytes().decode() == (
        HEADER + "1,00:00:00.000,00:00:03.120,1,79\r\n2,00:00:03.160,00:00:03.160,80,80\r\n"
    )


@given(lengths=st.lists(st.integers(1, 10**6), min_size=1, max_size=30))
def test_what_is_written_is_read(tmp_path_factory, lengths):
    target = tmp_path_factory.mktemp("table") / "video.csv"
    ends = list(accumulate(lengths))
    scenes = [Scene(n, e - size + 1, e) for n, (e, size) in enumerate(zip(ends, lengths, strict=True), start=1)]
    write_scenes(scenes, Fraction(30000, 1001), target)
    assert read_scenes(target) == scenes


@pytest.mark.parametrize(
    ("frame", "rate", "expected"),
    [
        (1, Fraction(25), "00:00:00.000"),
        (90_001, Fraction(25), "01:00:00.000"),
        (2, Fraction(30000, 1001), "00:00:00.033"),
        (3, Fraction(24000, 1001), "00:00:00.083"),
        (1439, Fraction(24), "00:00:59.917"),
        (60_000, Fraction(60000, 1001), "00:16:40.983"),
        (9_000_001, Fraction(25), "100:00:00.000"),
    ],
)
def test_time_codes_are_of_the_start_of_the_frame(frame, rate, expected):
    assert timecode(frame, rate) == expected


@pytest.mark.parametrize(
    "content",
    [
        "",
        "a,b\r\n1,2\r\n",
        HEADER,
        HEADER + "1,00:00:00.000,00:00:00.000,1,many\r\n",
        HEADER + "1,00:00:00.000\r\n",
        HEADER + "1,,,5,4\r\n",
        HEADER + "1,,,0,4\r\n",
        HEADER + "1,,,1,4\r\n2,,,4,9\r\n",
        "\x00\xff",
    ],
)
def test_what_is_no_table_of_scenes_is_refused(tmp_path, content):
    (tmp_path / "video.csv").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError):
        read_scenes(tmp_path / "video.csv")


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path):
    (tmp_path / "video.csv").write_text("\ufeff" + HEADER.replace("\r", "") + "1,,,1,4\n2,,,5,9\n", encoding="utf-8")
    assert read_scenes(tmp_path / "video.csv") == [Scene(1, 1, 4), Scene(2, 5, 9)]
