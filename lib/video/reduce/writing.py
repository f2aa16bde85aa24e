"""Result files written as a stream, in the form of `json.dump(…, indent=2, ensure_ascii=False)`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson

from lib.video.reduce.reading import FRAMES, unexpected

BATCH = 256
"""Frames that are put into text together."""


class ResultWriter:
    """Writes one result file: its header first, then its frames."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")
        self._header = 0
        self._started = False
        self._batch: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        try:
            if kind is None:
                self._flush()
                self._stream.write(b"\n  ]\n}" if self._started else b"]\n}")
        finally:
            self._stream.close()

    def begin(self, header: Mapping[str, Any]) -> None:
        """Write the header; frames follow. A second time takes back all that was written."""
        self._stream.seek(0)
        self._stream.truncate()
        self._batch.clear()
        self._started = False
        members = [to_json({key: value}, indent=2)[2:-2] + b",\n" for key, value in header.items()]
        self._stream.write(b"".join([b"{\n", *members, b'  "', FRAMES.encode(), b'": [']))

    def add(self, frame: Mapping[str, Any]) -> None:
        """Write one frame."""
        self._batch.append(frame)
        if len(self._batch) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if not self._batch:
            return
        # Inside an object with one list, frames get the indentation that they have in the file.
        text = to_json({"": self._batch}, indent=2)[len(b'{\n  "": [') : -len(b"\n  ]\n}")]
        self._stream.write(b"," + text if self._started else text)
        self._started = True
        self._batch.clear()


def to_json(value: Any, indent: int | None = None) -> bytes:
    """Return a value as JSON in UTF-8; `indent` is None or 2. Numbers have to be finite."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, lone surrogates, or depth: what orjson does not write, the json module does.
        try:
            text = json.dumps(value, indent=indent, ensure_ascii=False)
        except RecursionError as error:
            raise unexpected("it is nested too deeply") from error
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, allow_nan=False).encode()
