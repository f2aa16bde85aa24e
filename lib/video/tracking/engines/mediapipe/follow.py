"""Faces followed from picture to picture: each is looked at where it was, and new ones are searched now and then."""

from collections.abc import Sequence
from typing import Any, Protocol

from lib.video.tracking.engines.mediapipe.graph import frame_packet
from lib.video.tracking.engines.mediapipe.regions import Region, region_of_landmarks, same_face
from lib.video.tracking.engines.mediapipe.search import FaceSearch
from lib.video.tracking.faces import Face, Picture
from lib.video.tracking.options import TrackingOptions


class LandmarkModel(Protocol):
    """Landmarks of one face."""

    def packet(self, picture: Picture, frame: Any) -> Any:
        """Return a picture as `look` wants it; `frame` is the same picture for the graphs of the solutions."""

    def glance(self, packet: Any, region: Region, width: int, height: int) -> Face | None:
        """Return the face in a region, or None where there is none, in the cheapest way."""

    def look(self, packet: Any, region: Region, width: int, height: int) -> Face | None:
        """Return the face in a region, or None where there is none, in the best way."""

    def close(self) -> None:
        """End the model."""


class FollowingEngine:
    """A detector and a landmark model together; the same pictures from `restart` on give the same faces."""

    def __init__(self, model: LandmarkModel, options: TrackingOptions) -> None:
        self._model = model
        self._options = options
        self._search = FaceSearch(options.search, options.min_detection_confidence)
        self.restart()

    def restart(self) -> None:
        """Forget the faces: what comes next is another scene."""
        self._known: list[Face] = []
        self._count = 0

    def faces(self, picture: Picture) -> Sequence[Face]:
        """Return the faces of the next picture."""
        height, width = picture.shape[:2]
        frame = frame_packet(picture)
        packet = self._model.packet(picture, frame)
        faces: list[Face] = []

        def keep(face: Face | None) -> None:
            if face and not any(same_face(face.box, other.box) for other in faces):
                faces.append(face)

        searching = self._count % self._options.search_every == 0
        for known in self._known:
            # A face that the best way did not see is not tried that way in every frame.
            see = self._model.look if known.blendshapes or searching else self._model.glance
            keep(see(packet, region_of_landmarks(known.landmarks), width, height))
        if searching or len(faces) < len(self._known):
            for detection in self._search.find(picture, frame):
                if len(faces) >= self._options.max_faces:
                    break
                if not any(same_face(detection.box, face.box) for face in faces):
                    first = self._model.glance(packet, detection.region, width, height)
                    if first:  # look again, in the square that suits the models
                        keep(self._model.look(packet, region_of_landmarks(first.landmarks), width, height))
        self._known = faces
        self._count += 1
        return faces

    def close(self) -> None:
        """End the graphs."""
        self._search.close()
        self._model.close()
