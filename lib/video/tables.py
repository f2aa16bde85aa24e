"""What is known of a project's videos as tables: for spreadsheets (CSV) and for data frames (Parquet)."""

import contextlib
import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from lib.errors import InputError
from lib.video.disk import explained, replacing_if_changed
from lib.video.media import Media, probe
from lib.video.provenance import Provenance
from lib.video.reduce.reading import read_frames
from lib.video.results import Results, find_videos
from lib.video.scenes.table import Scene, read_scenes, timecode

FOLDER = "tables"
"""Where a project keeps them."""
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "videos": {
        "video": "string", "frames": "int64", "frame_rate": "double", "seconds": "double", "width": "int32",
        "height": "int32", "scenes": "int32", "speech_seconds": "double", "speakers": "int32", "tracks": "int32",
        "scenes_engine": "string", "audio_engine": "string", "tracking_engine": "string",
    },
    "scenes": {
        "video": "string", "number": "int32", "frame_in": "int64", "frame_out": "int64", "timecode_in": "string",
        "timecode_out": "string", "frames": "int64", "seconds": "double",
    },
    "turns": {"video": "string", "speaker": "string", "start": "double", "end": "double", "seconds": "double"},
    "tracks": {
        "video": "string", "scene": "int32", "id": "string", "source": "string", "label": "string",
        "first_frame": "int64", "last_frame": "int64", "frames": "int64", "speaking_frames": "int64",
        "mean_centroid_x": "double", "mean_bbox_width": "double", "mean_bbox_height": "double",
    },
}  # fmt: skip
"""The tables, their columns and the types of these in Parquet; empty cells are null."""
NAMES = tuple(f"{table}.{form}" for table in COLUMNS for form in ("csv", "parquet"))
ROWS = 20_000
"""Rows that are held before they are written."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[Any, ...]


def write_tables(project: Path, folder: Path) -> tuple[Path, ...]:
    """Write the tables of a project's videos to `folder`, each as CSV and as Parquet; return the files.

    A result that is missing or cannot be read leaves its cells empty and its rows out. Times are in seconds, frames
    count from 1. Written as streams; a file that would be the same is not touched. Raises InputError when the folder
    cannot be written.
    """
    with explained(), contextlib.ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        tables = {name: stack.enter_context(_Table(folder, name)) for name in COLUMNS}
        for video in find_videos(project):
            name = _text(str(video.relative_to(project)))
            results = Results(video)
            media, scenes = _media(video), _scenes(results)
            speakers: set[str] = set()
            speech, tracks = 0.0, 0
            for scene in scenes:
                tables["scenes"].add((name, *_scene_row(scene, media)))
            for label, start, end in _sound(_turns(results, media)):
                speakers.add(label)
                speech += end - start
                tables["turns"].add((name, label, round(start, 3), round(end, 3), round(end - start, 3)))
            for track in _sound(_tracks(results, scenes)):
                tracks += 1
                tables["tracks"].add((name, *track))
            facts = (media.frames, float(media.frame_rate), media.duration, media.width, media.height) if media else ()
            spoken = (round(speech, 3), len(speakers)) if results.audio_json.exists() else (None, None)
            counts = (
                len(scenes) if results.scenes_csv.exists() else None,
                *spoken,
                tracks if results.tracking_json.exists() else None,
            )
            tables["videos"].add((name, *(facts or (None,) * 5), *counts, *_engines(results)))
    return tuple(folder / name for name in NAMES)


class _Table:
    """One table, written to both files as its rows come."""

    def __init__(self, folder: Path, name: str) -> None:
        import pyarrow as pa  # 50 MB, and only tables need it

        self._targets = folder / f"{name}.csv", folder / f"{name}.parquet"
        self._schema = pa.schema(
            [(column, getattr(pa, _ALIASES.get(kind, kind))()) for column, kind in COLUMNS[name].items()]
        )
        self._rows: list[Row] = []

    def __enter__(self) -> Self:
        import pyarrow.parquet as pq

        with contextlib.ExitStack() as stack:
            drafts = [stack.enter_context(replacing_if_changed(target)) for target in self._targets]
            stream = stack.enter_context(drafts[0].path.open("w", encoding="utf-8", newline=""))
            self._csv = csv.writer(stream)
            self._csv.writerow(self._schema.names)
            self._parquet = stack.enter_context(pq.ParquetWriter(drafts[1].path, self._schema, compression="zstd"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        with self._stack as stack:
            if error[0] is None:
                self._flush()
            stack.pop_all().__exit__(*error)

    def add(self, row: Row) -> None:
        row = tuple(cell.encode(errors="replace").decode() if isinstance(cell, str) else cell for cell in row)
        self._csv.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
        self._rows.append(row)
        if len(self._rows) >= ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            columns = [list(column) for column in zip(*self._rows, strict=True)]
            self._parquet.write_table(pa.table(columns, schema=self._schema))
            self._rows.clear()


_ALIASES = {"double": "float64"}


def harmless(cell: str) -> str:
    """Return a text from outside that no spreadsheet takes for a formula: one that looks like it gets an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _text(name: str) -> str:
    """Return a name as text: bytes that are none become question marks."""
    return os.fsencode(name).decode(errors="replace")


def _sound(rows: Iterator[Any]) -> Iterator[Any]:
    """Yield rows up to where their file cannot be read: the check of results says what is wrong with it."""
    with contextlib.suppress(InputError, ValueError, TypeError, KeyError, AttributeError, OSError):
        yield from rows


def _media(video: Path) -> Media | None:
    try:
        return probe(video)
    except InputError:
        return None


def _scenes(results: Results) -> list[Scene]:
    try:
        return read_scenes(results.scenes_csv) if results.scenes_csv.exists() else []
    except InputError:
        return []


def _scene_row(scene: Scene, media: Media | None) -> Row:
    frames = scene.frame_out - scene.frame_in + 1
    if media is None:
        return scene.number, scene.frame_in, scene.frame_out, None, None, frames, None
    rate = media.frame_rate
    codes = timecode(scene.frame_in, rate), timecode(scene.frame_out, rate)
    return scene.number, scene.frame_in, scene.frame_out, *codes, frames, round(float(frames / rate), 3)


def _engines(results: Results) -> tuple[str | None, ...]:
    made = (Provenance.read(path) for path in (results.scenes_json, results.audio_json, results.tracking_json))
    return tuple(f"{found.engine} {found.engine_version}".strip() if found else None for found in made)


def _turns(results: Results, media: Media | None) -> Iterator[tuple[str, float, float]]:
    """Yield who speaks from when to when: by the segments where they are there, else by the frames."""
    if results.rttm.exists():
        with results.rttm.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields = line.split()
                if len(fields) >= 8 and fields[0] == "SPEAKER":
                    yield fields[7], float(fields[3]), float(fields[3]) + float(fields[4])
    elif results.audio_json.exists() and media:
        yield from _turns_of_frames(results.audio_json, float(media.frame_rate))


def _turns_of_frames(path: Path, rate: float) -> Iterator[tuple[str, float, float]]:
    speaking: dict[str, int] = {}
    number = 0
    for frame in read_frames(path):
        number = _frame(frame)
        labels = frame.get("audio_info", {}).get("active_speaker_labels") or []
        for label in [label for label in speaking if label not in labels]:
            yield label, (speaking.pop(label) - 1) / rate, (number - 1) / rate
        for label in labels:
            speaking.setdefault(str(label), number)
    for label, first in speaking.items():
        yield label, (first - 1) / rate, number / rate


@dataclass
class _Track:
    """One person or thing within one scene, summed up as its frames come."""

    source: Any
    label: Any
    first: int
    last: int = 0
    frames: int = 0
    speaking: int = 0
    x: float = 0.0
    width: float = 0.0
    height: float = 0.0

    def add(self, number: int, item: Mapping[str, Any]) -> None:
        self.last = number
        self.frames += 1
        # A reduced file has no `is_speaking`: who is heard and seen there is in `active_speakers`.
        self.speaking += bool(item.get("is_speaking", item.get("active_speakers")))
        self.x += _number(item.get("centroid_x"))
        self.width += _number(item.get("bbox_width"))
        self.height += _number(item.get("bbox_height"))

    def row(self, scene: int | None, name: str) -> Row:
        means = (round(total / self.frames, 2) for total in (self.x, self.width, self.height))
        spans = self.first, self.last, self.frames, self.speaking
        return scene, name, _word(self.source), _word(self.label), *spans, *means


def _word(value: Any) -> str | None:
    return None if value is None else str(value)


def _frame(frame: Mapping[str, Any]) -> int:
    number = int(frame["frame"])
    if not 0 <= number < 1 << 53:
        raise ValueError("no number of a frame")
    return number


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _tracks(results: Results, scenes: list[Scene]) -> Iterator[Row]:
    """Yield the tracks of one scene after the other: an id is one person within a scene only."""
    if not results.tracking_json.exists():
        return
    following = iter(pairwise([*scenes, None]))
    scene, after = next(following, (None, None))
    tracks: dict[str, _Track] = {}
    for frame in read_frames(results.tracking_json):
        number = _frame(frame)
        while after is not None and number >= after.frame_in:
            yield from (track.row(scene.number if scene else None, name) for name, track in tracks.items())
            tracks.clear()
            scene, after = next(following)
        for item in frame["tracked_objects"]:
            name = str(item.get("id"))
            if name not in tracks:
                tracks[name] = _Track(item.get("source"), item.get("label"), number)
            tracks[name].add(number, item)
    yield from (track.row(scene.number if scene else None, name) for name, track in tracks.items())
