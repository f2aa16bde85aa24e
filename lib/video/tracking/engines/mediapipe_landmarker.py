"""Engine `mediapipe_landmarker`: 478 landmarks and 52 blendshapes from MediaPipe's face landmarker model file."""

import os
import zipfile
from pathlib import Path

from lib.errors import UnavailableError
from lib.files import sha256
from lib.video.tracking.engines import mediapipe_mesh
from lib.video.tracking.faces import FaceEngine
from lib.video.tracking.options import MODEL_NAME, MODEL_VARIABLE, TrackingOptions, models_folder

MEMBERS = ("face_landmarks_detector.tflite", "face_blendshapes.tflite")
"""The models that are used of the file, which is a ZIP archive; its own detector sees near faces only."""


def model_path(options: TrackingOptions) -> Path:
    """Return where the model file should be: the option, else the environment variable, else the models folder."""
    if options.model is not None:
        return options.model.expanduser()
    named = os.environ.get(MODEL_VARIABLE)
    return Path(named).expanduser() if named else models_folder() / MODEL_NAME


def version(options: TrackingOptions) -> str:
    """Return the versions of package and model; raises UnavailableError when one is missing."""
    package = mediapipe_mesh.version(options)
    path = model_path(options)
    advice = (
        f"Put MediaPipe's {MODEL_NAME} (face landmarker with blendshapes) at {path}, or name its path by the option "
        f"`tracking.model` or the environment variable {MODEL_VARIABLE}."
    )
    try:
        with zipfile.ZipFile(path) as bundle:
            complete = set(MEMBERS) <= set(bundle.namelist())
        digest = sha256(path)
    except zipfile.BadZipFile:
        complete = False
    except OSError as error:
        raise UnavailableError(f"Its model file cannot be read ({error.strerror}). {advice}") from error
    if not complete:
        raise UnavailableError(f"Its model file is broken, or another model. {advice}")
    return f"{package}+{digest[:12]}"


def load(options: TrackingOptions) -> FaceEngine:
    """Load the engine."""
    from lib.video.tracking.engines.mediapipe.follow import FollowingEngine
    from lib.video.tracking.engines.mediapipe.landmarker import Landmarker

    with zipfile.ZipFile(model_path(options)) as bundle:
        landmarks, blendshapes = (bundle.read(member) for member in MEMBERS)
    return FollowingEngine(Landmarker(landmarks, blendshapes, options.min_face_confidence), options)
