"""The names of the files that lie beside a video."""

from dataclasses import dataclass
from pathlib import Path

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".avi", ".mkv", ".webm", ".flv", ".wmv", ".m4v", ".mpg", ".mpeg", ".ts", ".mts", ".mxf"}
)
ORIGINALS = "originals"
"""Folder beside a converted video that keeps its original."""


@dataclass(frozen=True)
class Results:
    """Where the results of one video are: beside it, named after its stem."""

    video: Path

    def _beside(self, ending: str) -> Path:
        return self.video.with_name(self.video.stem + ending)

    @property
    def scenes_csv(self) -> Path:
        """Scene cuts as After Effects scripts read them."""
        return self._beside(".csv")

    @property
    def scenes_json(self) -> Path:
        """Scene cuts with probabilities and gradual transitions."""
        return self._beside("_scenes.json")

    @property
    def audio_json(self) -> Path:
        """Who speaks, frame by frame."""
        return self._beside("_audio.json")

    @property
    def rttm(self) -> Path:
        """Who speaks, segment by segment."""
        return self._beside(".rttm")

    @property
    def tracking_json(self) -> Path:
        """Faces and objects, frame by frame."""
        return self._beside("_tracking.json")

    @property
    def ae_json(self) -> Path:
        """Reduced results by frame number, for After Effects."""
        return self._beside("_ae.json")

    @property
    def keyframes(self) -> Path:
        """Keyframes to paste into After Effects."""
        return self._beside("_keyframes.txt")

    @property
    def landmarks(self) -> Path:
        """Landmarks of faces, kept apart."""
        return self._beside("_landmarks.parquet")

    @property
    def report_html(self) -> Path:
        """The video's report."""
        return self._beside("_report.html")

    @property
    def edl(self) -> Path:
        """Scenes as a CMX 3600 edit decision list."""
        return self._beside(".edl")

    @property
    def otio(self) -> Path:
        """Scenes as an OpenTimelineIO timeline."""
        return self._beside(".otio")

    def every(self) -> tuple[Path, ...]:
        """Return every file that a phase may write beside the video."""
        return (
            self.scenes_csv,
            self.scenes_json,
            self.audio_json,
            self.rttm,
            self.tracking_json,
            self.ae_json,
            self.keyframes,
            self.landmarks,
            self.edl,
            self.otio,
            self.report_html,
        )


def is_video(path: Path) -> bool:
    """Whether a path below a project is a video that is Régie's to process: nothing hidden, no kept original."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix.lower() in VIDEO_SUFFIXES and not hidden and ORIGINALS not in path.parts


def find_videos(project: Path) -> list[Path]:
    """Return the videos of a project, in the order of their names."""
    return sorted(path for path in project.rglob("*") if is_video(path.relative_to(project)) and path.is_file())
