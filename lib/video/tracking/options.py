"""The options of tracking."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MODEL_VARIABLE = "REGIE_FACE_LANDMARKER"
MODEL_NAME = "face_landmarker.task"
Search = Literal["near", "far", "tiles"]


def models_folder() -> Path:
    """Return the folder of model files: `models` in Régie's home."""
    return Path(os.environ.get("REGIE_HOME") or "~/.regie").expanduser() / "models"


class TrackingOptions(BaseModel):
    """How faces are found, followed and said to speak."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    engines: tuple[str, ...] = Field(
        default=("mediapipe",),
        min_length=1,
        description="Engines in the order in which they are tried; the first that can run here does the work. "
        "`mediapipe` is `mediapipe_landmarker` when its model file is present, else `mediapipe_mesh`.",
        json_schema_extra={"affects_result": False},  # the engine that is chosen does, and it is named by itself
    )
    model: Path | None = Field(
        default=None,
        description="Path of the face landmarker's model file. When empty: the environment variable "
        f"{MODEL_VARIABLE}, else `{MODEL_NAME}` in the models folder of Régie's home.",
        json_schema_extra={"affects_result": False},  # its content does, which is in the engine's version
    )

    max_faces: int = Field(default=10, ge=1, le=100, description="Faces that are followed at a time, at most.")
    search: Search = Field(
        default="far",
        description="How small faces may be, as a share of the picture's longer side: `near` (an eighth; fastest), "
        "`far` (a twentieth), `tiles` (a fortieth: it also searches overlapping parts of the picture, and is slower).",
    )
    search_every: int = Field(
        default=2,
        ge=1,
        le=100,
        description="New faces are searched in one frame out of so many; those known are followed in each.",
    )
    longest_side: int = Field(
        default=1280, ge=128, le=8192, description="Larger pictures are made so small, in pixels, before the search."
    )
    min_detection_confidence: float = Field(
        default=0.5, ge=0, le=1, description="Score from which something found is looked at as a face."
    )
    min_face_confidence: float = Field(
        default=0.5, ge=0, le=1, description="Score from which the landmarks say that it is a face."
    )
    landmarks: bool = Field(
        default=True, description="Write the 478 landmarks and the blendshapes of each face, which make the file large."
    )

    max_missed: int = Field(
        default=12, ge=0, le=1000, description="Frames for which a face may be lost and still be the same one after."
    )
    min_frames: int = Field(
        default=3,
        ge=1,
        le=1000,
        description="A face counts from where it is seen in so many frames close together; others are false alarms.",
    )
    smoothing: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Smoothing of boxes that hardly move, from 0 (none) to 1 (most); fast ones follow at once.",
    )

    use_scenes: bool = Field(default=True, description="Cut the tracks at the scenes of phase 3, where they are known.")
    use_audio: bool = Field(default=True, description="Let the audio of phase 4, where it is known, say who speaks.")
    mouth_window: float = Field(
        default=0.5, gt=0, le=10, description="Seconds over which the movement of a mouth is looked at."
    )
    mouth_threshold: float = Field(
        default=0.03,
        ge=0,
        le=1,
        description="Movement (standard deviation of the openness) from which a mouth is said to speak.",
    )

    processes: int = Field(
        default=0,
        ge=0,
        le=256,
        description="Processes that work at a time; 0 for one per core.",
        json_schema_extra={"affects_result": False},
    )
    chunk_frames: int = Field(
        default=125,
        ge=1,
        le=1_000_000,
        description="Frames that a process is given at a time: whole scenes up to so many, or parts of a longer one.",
    )
