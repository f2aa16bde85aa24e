"""Scenes for editing programs: CMX 3600 edit decision lists and OpenTimelineIO timelines."""

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

import opentimelineio as otio

from lib.files import replacing
from lib.video.scenes.table import Scene

REEL_LENGTH = 8
"""Characters that a reel's name may have in CMX 3600: letters and digits of ASCII."""
NO_REEL = "AX"
"""What editing programs write for a clip that comes from no reel."""


def write_edl(scenes: Sequence[Scene], rate: Fraction, video_name: str, target: Path) -> None:
    """Write the scenes of a video as one event each, source and record times alike, from 00:00:00:00.

    Times are non-drop, at `rate` rounded to whole frames a second: exact for 25. `video_name` is its file name.
    """
    frames_a_second = max(1, round(rate))
    name = _printable(video_name)
    reel = "".join(character for character in video_name.upper() if character.isascii() and character.isalnum())
    lines = [f"TITLE: {_printable(Path(video_name).stem)}", "FCM: NON-DROP FRAME", ""]
    for event, scene in enumerate(scenes, start=1):
        # The end of an event is the frame after its last one.
        begin, end = (_frame_code(frame, frames_a_second) for frame in (scene.frame_in - 1, scene.frame_out))
        lines += [
            f"{event:03}  {reel[:REEL_LENGTH] or NO_REEL:<{REEL_LENGTH}} V     C        {begin} {end} {begin} {end}",
            f"* FROM CLIP NAME: {name}",
            f"* COMMENT: SCENE {scene.number}",
        ]
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="\r\n") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def write_otio(scenes: Sequence[Scene], rate: Fraction, video_name: str, target: Path) -> None:
    """Write the scenes of a video as a timeline with one clip each, which refer to the video beside it."""
    frames_a_second = float(rate)

    def span(first: int, frames: int) -> otio.opentime.TimeRange:
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(first, frames_a_second), otio.opentime.RationalTime(frames, frames_a_second)
        )

    timeline = otio.schema.Timeline(_printable(Path(video_name).stem))
    track = otio.schema.Track("Scenes", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    whole = span(0, scenes[-1].frame_out if scenes else 0)
    for scene in scenes:
        track.append(
            otio.schema.Clip(
                name=f"Scene {scene.number}",
                media_reference=otio.schema.ExternalReference(
                    target_url=quote(os.fsencode(video_name)), available_range=whole
                ),
                source_range=span(scene.frame_in - 1, scene.frames),
            )
        )
    with replacing(target) as temporary:
        temporary.write_text(otio.adapters.write_to_string(timeline, "otio_json"), encoding="utf-8")


def _frame_code(frame: int, frames_a_second: int) -> str:
    """Return the time code `HH:MM:SS:FF` of a frame, counted from 0."""
    seconds, frames = divmod(frame, frames_a_second)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:02}"


def _printable(name: str) -> str:
    """Return a name on one line: what could end a line, hide or is no text becomes a space."""
    return "".join(character if character.isprintable() else " " for character in name)
