"""The two files that say who speaks when: JSON frame by frame, and RTTM segment by segment."""

import os
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson

from lib.files import replacing
from lib.progress import Progress
from lib.video.audio.segments import Segment, by_frame

UNKNOWN = "UNKNOWN"
"""Speaker in RTTM where an engine does not say whose speech it is; RTTM has no empty names."""
DECIMALS = 3
"""Of times in seconds: milliseconds."""


def write_json(
    target: Path, header: dict[str, Any], segments: Sequence[Segment], frames: int, rate: Fraction, progress: Progress
) -> int:
    """Write the JSON file as a stream, the header's keys first; return the number of frames with speech."""
    spoken = 0
    with replacing(target) as temporary, temporary.open("wb") as file:
        file.write(orjson.dumps(header)[:-1])
        file.write(b',"frames_analysis":[')
        for number, (speech, speakers) in enumerate(by_frame(segments, frames, rate), 1):
            spoken += speech
            entry = {
                "frame": number,
                "audio_info": {
                    "is_speech_present": speech,
                    "num_distinct_speakers_audio": len(speakers),
                    "active_speaker_labels": speakers,
                    "timecode_sec": round(float((number - 1) / rate), DECIMALS),
                },
            }
            file.write((b"\n" if number == 1 else b",\n") + orjson.dumps(entry))
            if number % 1000 == 0:
                progress(number, frames, "writing")
        file.write(b"\n]}\n")
    return spoken


def write_rttm(target: Path, video: Path, segments: Iterable[Segment]) -> None:
    """Write the segments as RTTM, the video's name being that of its file without white space (which ends a field)."""
    name = re.sub(rb"\s", b"_", os.fsencode(video.stem))
    with replacing(target) as temporary, temporary.open("wb") as file:
        for each in segments:
            start, duration = f"{each.start:.{DECIMALS}f}", f"{each.duration:.{DECIMALS}f}"
            file.write(b"SPEAKER %b 1 " % name)
            file.write(f"{start} {duration} <NA> <NA> {each.speaker or UNKNOWN} <NA> <NA>\n".encode())


def listed(segments: Iterable[Segment]) -> list[dict[str, Any]]:
    """Return the segments as they are written in the header."""
    return [
        {"start": round(each.start, DECIMALS), "end": round(each.end, DECIMALS), "speaker": each.speaker}
        for each in segments
    ]
