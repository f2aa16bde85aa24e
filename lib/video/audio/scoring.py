"""How wrong a diarization is: the diarization error rate, exact and without collar, and references in RTTM."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib.video.audio.segments import Segment, tidy


@dataclass(frozen=True)
class ErrorRate:
    """Seconds of reference speech, and those that are wrong, by kind."""

    total: float
    """Of each speaker: where two speak at once a second counts twice."""
    missed: float
    false_alarm: float
    confusion: float

    @property
    def rate(self) -> float:
        """The diarization error rate; 0 when nobody speaks and nobody was heard."""
        wrong = self.missed + self.false_alarm + self.confusion
        return wrong / self.total if self.total else float(wrong > 0)


def error_rate(reference: Iterable[Segment], found: Iterable[Segment], duration: float) -> ErrorRate:
    """Compare two diarizations from 0 to `duration` seconds, under the mapping of speakers that suits them best.

    Overlapped speech counts, there is no collar: as pyannote.metrics' `DiarizationErrorRate` with its defaults.
    """
    from scipy.optimize import linear_sum_assignment

    told, heard = tidy(reference, duration), tidy(found, duration)
    edges = np.unique([0.0, duration, *(edge for each in (*told, *heard) for edge in (each.start, each.end))])
    lengths = np.diff(edges)
    truth, guess = _activity(told, edges), _activity(heard, edges)
    together = (truth * lengths) @ guess.T
    rows, columns = linear_sum_assignment(together, maximize=True)
    speaking, guessed = truth.sum(axis=0), guess.sum(axis=0)
    correct = (truth[rows] * guess[columns]).sum(axis=0)
    return ErrorRate(
        total=float(lengths @ speaking),
        missed=float(lengths @ np.maximum(0, speaking - guessed)),
        false_alarm=float(lengths @ np.maximum(0, guessed - speaking)),
        confusion=float(lengths @ (np.minimum(speaking, guessed) - correct)),
    )


def read_rttm(path: Path, name: str) -> list[Segment]:
    """Return the segments of one recording of an RTTM file."""
    segments = []
    for line in path.read_text("utf-8").splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[0] == "SPEAKER" and fields[1] == name:
            start, duration = float(fields[3]), float(fields[4])
            segments.append(Segment(start, start + duration, fields[7]))
    return segments


def _activity(segments: Sequence[Segment], edges: Any) -> Any:
    """Return who speaks (rows) between the edges (columns): 1 or 0."""
    speakers = sorted({each.speaker or "" for each in segments})
    active = np.zeros((len(speakers), len(edges) - 1))
    for each in segments:
        begin, end = np.searchsorted(edges, (each.start, each.end))
        active[speakers.index(each.speaker or ""), begin:end] = 1
    return active
