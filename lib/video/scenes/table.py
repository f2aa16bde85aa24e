"""Scenes as a table: the CSV that After Effects scripts read. Light: needs no model."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lib.errors import InputError
from lib.files import replacing

COLUMNS = ("No", "Timecode In", "Timecode Out", "Frame In", "Frame Out")


@dataclass(frozen=True)
class Scene:
    """A scene; frames count from 1, and both ends belong to it."""

    number: int
    frame_in: int
    frame_out: int

    @property
    def frames(self) -> int:
        """Its length in frames."""
        return self.frame_out - self.frame_in + 1


def timecode(frame: int, rate: Fraction) -> str:
    """Return the time at which a frame (from 1) starts, as `HH:MM:SS.mmm`, rounded to the nearest millisecond."""
    milliseconds = int((frame - 1) * 1000 / rate + Fraction(1, 2))
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def write_scenes(scenes: Sequence[Scene], rate: Fraction, target: Path) -> None:
    """Write the scene CSV; "Timecode Out" is the start of the last frame, as "Timecode In" is that of the first."""
    with replacing(target) as temporary, temporary.open("w", encoding="ascii", newline="") as stream:
        table = csv.writer(stream, lineterminator="\r\n")
        table.writerow(COLUMNS)
        for scene in scenes:
            times = timecode(scene.frame_in, rate), timecode(scene.frame_out, rate)
            table.writerow((scene.number, *times, scene.frame_in, scene.frame_out))


def read_scenes(csv_file: Path) -> list[Scene]:
    """Read a scene CSV, written here or by a person with a spreadsheet.

    Raises InputError when it is not one, or when its scenes overlap or run backwards.
    """
    scenes: list[Scene] = []
    try:
        with csv_file.open(encoding="utf-8-sig", newline="") as stream:
            for line, row in enumerate(csv.DictReader(stream), start=2):
                scene = Scene(int(row["No"]), int(row["Frame In"]), int(row["Frame Out"]))
                if not (scenes[-1].frame_out if scenes else 0) < scene.frame_in <= scene.frame_out:
                    raise InputError(f"Line {line} of the scenes does not come after the one before: correct it.")
                scenes.append(scene)
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"The scenes cannot be read: a table with the columns {', '.join(COLUMNS)} was expected."
        ) from error
    if not scenes:
        raise InputError("The table of scenes is empty: detect the scenes again.")
    return scenes
