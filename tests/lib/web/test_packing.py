import gzip
import tracemalloc
import zlib
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lib.web.outcomes import NotText, TooLarge
from lib.web.packing import unpacked


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = [
    ("", bytes),
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstandard.compress),
]


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@given(data=st.binary(max_size=500))
def test_what_was_packed_is_unpacked(encoding: str, pack: object, data: bytes) -> None:
    assert unpacked(pack(data), encoding, 500) == data  # type: ignore[operator]


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
def test_the_limit_is_exact(encoding: str, pack: object) -> None:
    body = pack(b"x" * 1000)  # type: ignore[operator]
    assert len(unpacked(body, encoding, 1000)) == 1000
    with pytest.raises(TooLarge):
        unpacked(body, encoding, 999)
    assert unpacked(body, encoding, 999, cut=True) == b"x" * 999


@pytest.mark.parametrize(("encoding", "pack"), PACKERS[1:])
@pytest.mark.parametrize("cut", [False, True])
def test_of_a_bomb_no_more_is_made_than_is_allowed(encoding: str, pack: object, cut: bool) -> None:
    body = pack(bytes(30_000_000))  # type: ignore[operator]
    tracemalloc.start()
    try:
        with suppress(TooLarge):
            unpacked(body, encoding, 1_000_000, cut)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("encoding", "pack"), [(name, pack) for name, pack in PACKERS if name in {"gzip", "zstd"}])
def test_parts_one_after_another_are_one(encoding: str, pack: object) -> None:
    body = pack(b"one ") + pack(b"two")  # type: ignore[operator]
    assert unpacked(body, encoding, 1000) == b"one two"


def test_what_follows_the_end_of_gzip_is_left_off() -> None:
    assert unpacked(gzip.compress(b"page") + b"<!-- cached -->", "gzip", 1000) == b"page"


def test_of_what_was_cut_off_there_is_what_came() -> None:
    data = bytes(range(256)) * 200
    assert data.startswith(unpacked(gzip.compress(data)[:300], "gzip", 100_000))


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "zstd"]), st.booleans())
def test_any_bytes_are_unpacked_or_told(body: bytes, encoding: str, cut: bool) -> None:
    try:
        assert len(unpacked(body, encoding, 1000, cut)) <= 1000
    except (NotText, TooLarge):
        assert not cut


def test_a_zstandard_window_of_gigabytes_is_not_opened() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = packer.compress(bytes(100)) + packer.flush()
    with pytest.raises(NotText):
        unpacked(body, "zstd", 1000)
