"""Recorded runs: what the core of a status was given at every look, kept as gzipped lines of JSON, a run a line."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from lib.runs.status import Observed


@dataclass(frozen=True)
class Look:
    """What was seen of a run at one moment."""

    now: datetime
    root: Observed
    children: tuple[Observed, ...]


@dataclass
class Recording:
    """One run, from its start to its end."""

    workflow: str
    subject: str
    chosen: Sequence[str] | None
    load: Sequence[float]
    """Load averages of the machine over one minute, when the run began and when it had ended."""
    looks: list[Look] = field(default_factory=list)

    @property
    def end(self) -> Look:
        """The last look: the run had ended."""
        return self.looks[-1]

    def line(self) -> str:
        """Return the recording as one line of JSON: of each look only what had changed."""
        changes: list[Any] = []
        known: dict[str, dict[str, Any]] = {}
        for look in self.looks:
            new = {each.run_id: each.model_dump(mode="json") for each in (look.root, *look.children)}
            told = {key: fields for key, now in new.items() if (fields := _changed(known.get(key, {}), now))}
            known = new
            if told:
                changes.append([look.now.isoformat(), told])
        said = {"workflow": self.workflow, "subject": self.subject, "chosen": self.chosen, "load": self.load}
        return json.dumps({**said, "run_id": self.end.root.run_id, "changes": changes}, separators=(",", ":"))

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a recording back from its line."""
        said = json.loads(line)
        recording = cls(said["workflow"], said["subject"], said["chosen"], said["load"])
        known: dict[str, dict[str, Any]] = {}
        for now, told in said["changes"]:
            for key, fields in told.items():
                known.setdefault(key, {}).update(fields)
            seen = {key: Observed.model_validate(fields) for key, fields in known.items()}
            root = seen.pop(said["run_id"])
            recording.looks.append(Look(datetime.fromisoformat(now), root, tuple(seen.values())))
        return recording


def read_recordings(path: Path) -> list[Recording]:
    """Return every run that was recorded in a file, in order of time; none where there is no file."""
    if not path.exists():
        return []
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return sorted((Recording.read(line) for line in lines), key=lambda each: each.looks[0].now)


def write_recordings(path: Path, recordings: Iterable[Recording]) -> None:
    """Write runs to one file, over what is there."""
    text = "".join(f"{recording.line()}\n" for recording in recordings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in now.items() if name not in before or before[name] != value}
