"""Engine `mediapipe_mesh`: 478 landmarks from the face mesh in MediaPipe's package, without blendshapes."""

import importlib.metadata
import importlib.util

from lib.errors import UnavailableError
from lib.video.tracking.faces import FaceEngine
from lib.video.tracking.options import TrackingOptions

REVISION = "1"
"""Raised when what Régie makes of MediaPipe's models changes results."""


def version(options: TrackingOptions) -> str:
    """Return the version of the package, which holds the models; raises UnavailableError when it is not installed."""
    if importlib.util.find_spec("mediapipe") is None:
        raise UnavailableError("The package mediapipe is not installed here; install the environment of tracking.")
    return f"{importlib.metadata.version('mediapipe')}-r{REVISION}"


def load(options: TrackingOptions) -> FaceEngine:
    """Load the engine."""
    from lib.video.tracking.engines.mediapipe.follow import FollowingEngine
    from lib.video.tracking.engines.mediapipe.mesh import Mesh

    return FollowingEngine(Mesh(options.min_face_confidence), options)
