"""Undoing how a body was packed for the way, within bounds."""

import io
import zlib

import zstandard

from lib.web.outcomes import NotText, TooLarge

ACCEPTED = "gzip, deflate, zstd"
"""What a site is told that it may pack with. No Brotli: that would take one more package, and saves little more."""

_GZIP = frozenset({"gzip", "x-gzip"})
_WINDOW = 8 * 2**20
"""Memory that zstandard may ask for; the format's own advice to decoders (RFC 9659)."""


def unpacked(body: bytes, encoding: str, most: int, cut: bool = False) -> bytes:
    """Return a body as it was before it was packed; raises TooLarge beyond `most` bytes, NotText when it cannot be.

    Never more than `most` bytes are made, however well they were packed. With `cut`, what lies beyond is left off, and
    of a body that is damaged or cut off itself, as much as there is.
    """
    try:
        if not encoding:
            found = body[: most + 1]
        elif encoding in _GZIP:
            found = _inflated(body, most + 1, zlib.MAX_WBITS | 16)
        elif encoding == "deflate":
            found = _inflated(body, most + 1, zlib.MAX_WBITS if _has_zlib_header(body) else -zlib.MAX_WBITS)
        elif encoding == "zstd":
            reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
                io.BytesIO(body), read_across_frames=True
            )
            found = reader.read(most + 1)
        else:
            raise NotText(f"the answer is packed with “{encoding[:40]}”, which was not asked for")
    except (zlib.error, zstandard.ZstdError) as error:
        if cut:
            return b""
        raise NotText(f"the answer is damaged: it cannot be unpacked ({encoding})") from error
    if len(found) > most and not cut:
        raise TooLarge(f"the answer is larger than {most} bytes once it is unpacked")
    return found[:most]


def _inflated(body: bytes, most: int, window: int) -> bytes:
    """Return at most `most` bytes of one stream after another."""
    found = bytearray()
    while body and len(found) < most:
        stream = zlib.decompressobj(window)
        try:
            found += stream.decompress(body, most - len(found))
        except zlib.error:
            if found:  # servers append things; what came before was whole
                break
            raise
        body = stream.unused_data if stream.eof else b""
    return bytes(found)


def _has_zlib_header(body: bytes) -> bool:
    """Return whether it is `deflate` as specified; some servers send it without its header."""
    return len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
