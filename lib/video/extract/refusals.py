"""Members that are refused: why, and the log that says so."""

import json
from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO


class Reason(StrEnum):
    """Why a member was refused; the `reason` of a line of `security.jsonl`."""

    ABSOLUTE = "absolute_path"
    DRIVE = "drive_letter"
    UNC = "network_path"
    PARENT = "parent_path"
    ESCAPES = "escapes_when_normalised"
    EMPTY = "empty_name"
    DEPTH = "too_deep"
    LENGTH = "path_too_long"
    SYMLINK = "symbolic_link"
    HARDLINK = "hard_link"
    DEVICE = "device"
    SPARSE = "sparse"
    RATIO = "ratio"
    MEMBER_BYTES = "member_bytes"
    TOTAL_BYTES = "total_bytes"
    COUNT = "member_count"
    SKIPPED_BYTES = "skipped_bytes"


class RefusedError(Exception):
    """One member is not let out of its archive."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


class SecurityLog:
    """Writes one line of JSON for each refused member, at the end of a log that archives share.

    The file is made with the first refusal. Names are written in ASCII (`\\uXXXX`), so that nothing in them can act on
    the terminal of who reads it.
    """

    def __init__(self, path: Path, archive: Path) -> None:
        self._path = path
        self._archive = str(archive)
        self._stream: TextIO | None = None
        self.counts: Counter[str] = Counter()

    def refuse(self, member: str, refusal: RefusedError) -> None:
        """Write down that a member was refused."""
        if self._stream is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("a", encoding="ascii")
        self.counts[refusal.reason.value] += 1
        line = {
            "time": datetime.now(UTC).isoformat(),
            "archive": self._archive,
            "member": member,
            "reason": refusal.reason.value,
            "words": refusal.words,
        }
        self._stream.write(json.dumps(line) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()
