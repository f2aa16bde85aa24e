"""What the three analyses of a video (scenes, audio, tracking) have in common.

Each is a module `lib.video.<phase>.analysis` with the functions of `Analysis`. One whose engines need secrets has a
function `with_secrets` beside them.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from lib.progress import Progress
from lib.video.audio.options import Secrets


@dataclass(frozen=True)
class Choice:
    """The engine that would do the work here and now, and why."""

    engine: str
    version: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """What an analysis says of one video, small enough to hand on."""

    engine: str
    engine_version: str
    reason: str
    counts: Mapping[str, float]
    """Figures for tables and reports: `frames`, `scenes`, `speakers`, `faces`, …"""
    notes: tuple[str, ...] = field(default=())
    """What a person should know: an engine that fell through, a stream that was missing."""


class Analysis(Protocol):
    """The functions of a module that analyses videos."""

    def outputs(self, video: Path) -> tuple[Path, ...]:
        """Return the files that the analysis writes beside the video; the one that holds the provenance comes first."""

    def choose(self, options: Any) -> Choice:
        """Say which engine would run, importing none of its packages.

        Raises UnavailableError when no engine of the chain can run here.
        """

    def inputs(self, video: Path, options: Any) -> Mapping[str, str]:
        """Return the fingerprints of the results beside the video that this analysis reads, by phase."""

    def analyse(self, video: Path, options: Any, video_sha256: str, progress: Progress) -> Summary:
        """Analyse one video and write its outputs; raises InputError when the video cannot be analysed."""


def analysis_of(phase: str, secrets: Secrets | None = None) -> Analysis:
    """Return the analysis of a phase, whose engines are given these secrets, or else read the environment's."""
    module = importlib.import_module(f"lib.video.{phase}.analysis")
    if secrets is not None and hasattr(module, "with_secrets"):
        return cast(Analysis, module.with_secrets(secrets))
    return cast(Analysis, module)
