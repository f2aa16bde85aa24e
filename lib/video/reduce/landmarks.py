"""The landmarks of faces, which reduced results no longer hold, in a file fit for analysis."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lib.video.disk import Draft, replacing_if_changed
from lib.video.reduce.reading import unexpected
from lib.video.results import Results

ROWS = 512
"""Faces in a row group: about 3 MB of landmarks."""
SCHEMA = pa.schema([
    ("frame", pa.int32()),
    ("id", pa.string()),
    ("landmarks", pa.list_(pa.float32())),
])  # fmt: skip


class Landmarks:
    """Writes `<stem>_landmarks.parquet`: a row per face and frame; `landmarks` is x, y, z of each point in turn."""

    needs: ClassVar[set[str]] = {"id", "landmarks"}

    draft: Draft

    def __init__(self, video: Path) -> None:
        self.target = Results(video).landmarks
        self._rows: list[tuple[int, str, Any]] = []
        self._seen = self._used = 0

    @property
    def starved(self) -> bool:
        """Whether there were faces, but none with landmarks."""
        return self._seen > 0 and self._used == 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.draft = stack.enter_context(replacing_if_changed(self.target))
            self._writer = self._open()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        with contextlib.ExitStack() as stack:
            stack.push(self._stack)
            stack.callback(self._writer.close)
            if error[0] is None:
                self._flush()
            stack.pop_all().__exit__(*error)

    def begin(self) -> None:
        """Start over."""
        self._writer.close()
        self._rows.clear()
        self._seen = self._used = 0
        self._writer = self._open()

    def add(self, frame: Mapping[str, Any]) -> None:
        """Write the faces of one frame."""
        for item in frame["tracked_objects"]:
            self._seen += item.get("source") == "face_landmarker"
            points = item.get("landmarks")
            if points:
                self._used += 1
                self._rows.append((frame["frame"], str(item.get("id")), _flat(points)))
        if len(self._rows) >= ROWS:
            self._flush()

    def _open(self) -> pq.ParquetWriter:
        return pq.ParquetWriter(
            self.draft.path, SCHEMA, compression="zstd", use_dictionary=["id"],
            column_encoding={"landmarks.list.element": "BYTE_STREAM_SPLIT"},
        )  # fmt: skip

    def _flush(self) -> None:
        if self._rows:
            columns = [list(column) for column in zip(*self._rows, strict=True)]
            try:
                self._writer.write_table(pa.table(columns, schema=SCHEMA))
            except (ValueError, OverflowError) as error:
                raise unexpected("a face has a number or name beyond all limits") from error
            self._rows.clear()


def _flat(points: list[Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return points (lists of coordinates, or objects with x, y, z) as one row of numbers."""
    try:
        if isinstance(points[0], Mapping):
            points = [[point.get(axis, 0.0) for axis in ("x", "y", "z")] for point in points]
        return np.asarray(points, dtype=np.float32).ravel()
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise unexpected("landmarks are not points") from error
