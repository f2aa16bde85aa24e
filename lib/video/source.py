"""Opening a file of unknown content as a video, safely, or saying in words why that is not possible."""

import stat
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from lib.errors import InputError

FORMATS = (
    "mov,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,m4v,h264,hevc,mxf,ogg,gxf,nut,dv,rm,wtv,ivf,yuv4mpegpipe,gif,"
    "mp3,wav,flac,aac,w64,caf,aiff,ac3,eac3"
)
"""Kinds of files that are opened: those that hold pictures or sound themselves. Playlists (HLS,
concat, …) would make the decoder open whatever else they name."""
SAFE_INPUT = {"protocol_whitelist": "file", "format_whitelist": FORMATS}


def opened(video: Path) -> InputContainer:
    """Open a file as a container, or say in words why that is not possible."""
    facts = video.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise InputError("This is not a regular file; give a video file.")
    if facts.st_size == 0:
        raise InputError("The file is empty (0 bytes): copy or download it again.")
    try:
        # Absolute: a relative name with a colon would be read as an address.
        return av.open(str(video.absolute()), options=dict(SAFE_INPUT), metadata_errors="replace")
    except PermissionError as error:
        raise InputError("The file may not be read: check its permissions.") from error
    except av.error.FFmpegError as error:
        raise InputError(_why_unreadable(video)) from error


def _why_unreadable(video: Path) -> str:
    """Tell a recording without its index from something that is no video at all."""
    boxes = _top_boxes(video)
    if boxes & {b"ftyp", b"mdat", b"wide", b"free"} and b"moov" not in boxes:
        return (
            "The video is truncated: its index (moov) is missing, as when a recording or download was not finished. "
            "Fetch it again, or repair it with a tool for that."
        )
    if b"moov" in boxes:
        return "The video is damaged: its index (moov) cannot be read. Fetch it again."
    return "The file is not a video, whatever its name says: nothing in it is a known video format."


def _top_boxes(video: Path) -> set[bytes]:
    """Return the kinds of the boxes at the top of an ISO base media (MP4, MOV) file, as far as they can be followed."""
    kinds: set[bytes] = set()
    size = video.stat().st_size
    with video.open("rb") as file:
        position = 0
        while position + 8 <= size and len(kinds) < 64:
            file.seek(position)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4]), head[4:8]
            if not kind.isalnum():
                break
            kinds.add(kind)
            if length == 1:
                length = int.from_bytes(head[8:])
            if length < 8:
                break
            position += length
    return kinds


def is_hidden(packet: "av.Packet[Any]", stream: VideoStream) -> bool:
    """Whether a packet's picture is never shown.

    It was cut off by an edit list, or it is a VP8 frame that only others are made from (RFC 6386, 9.1); other codecs
    hide none.
    """
    return packet.is_discard or (stream.codec.canonical_name == "vp8" and not memoryview(packet)[0] & 0x10)


def video_stream(container: InputContainer) -> VideoStream:
    """Return the first stream of moving pictures: cover art and still pictures are none."""
    streams = container.streams.video
    for stream in streams:
        still = stream.disposition & (Disposition.attached_pic | Disposition.still_image)
        if not still:
            if stream.codec_context is None:
                raise InputError(
                    "The video's codec is not known here: export it as H.264 with the program that made it."
                )
            return stream
    if streams:
        raise InputError("There is no moving picture: only a still picture (cover art).")
    if container.streams.audio:
        raise InputError("There is no video stream: only sound.")
    raise InputError("There is no video stream in the file.")
