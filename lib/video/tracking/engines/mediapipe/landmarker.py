"""The models of MediaPipe's face landmarker: 478 landmarks and 52 blendshapes of the face in a region."""

from typing import Any

from mediapipe.python import packet_getter
from mediapipe.tasks.cc.vision.face_landmarker.proto import (
    face_blendshapes_graph_options_pb2,
    face_landmarks_detector_graph_options_pb2,
)

from lib.video.tracking.engines.mediapipe.graph import Config, Graph, Node, image_packet, read_points, region_packet
from lib.video.tracking.engines.mediapipe.mesh import Mesh
from lib.video.tracking.engines.mediapipe.regions import Region, box_of
from lib.video.tracking.faces import Face, Picture, mouth_openness

TASK = "mediapipe.tasks.vision.face_landmarker."


class Landmarker:
    """The graph of the task without its detector; `landmarks` and `blendshapes` are the models' bytes.

    The landmark model refuses many small, dark and blurred faces that the face mesh of the package still follows (on a
    film of 160 × 90 pixels one frame with a face in three became two). So the mesh looks where the landmarker saw
    nothing; such a face has no blendshapes.
    """

    def __init__(self, landmarks: bytes, blendshapes: bytes, min_confidence: float) -> None:
        marks = face_landmarks_detector_graph_options_pb2.FaceLandmarksDetectorGraphOptions()
        marks.base_options.model_asset.file_content = landmarks
        marks.base_options.acceleration.xnnpack.num_threads = 1
        marks.min_detection_confidence = min_confidence
        shapes = face_blendshapes_graph_options_pb2.FaceBlendshapesGraphOptions()
        shapes.base_options.model_asset.file_content = blendshapes
        shapes.base_options.acceleration.xnnpack.num_threads = 1
        look = Node(
            calculator=TASK + "SingleFaceLandmarksDetectorGraph",
            input_stream=["IMAGE:image", "NORM_RECT:region"],
            output_stream=["NORM_LANDMARKS:landmarks", "PRESENCE:presence", "PRESENCE_SCORE:score"],
        )
        look.options.Extensions[marks.ext].CopyFrom(marks)
        size = Node(calculator="ImagePropertiesCalculator", input_stream=["IMAGE:image"], output_stream=["SIZE:size"])
        express = Node(
            calculator=TASK + "FaceBlendshapesGraph",
            input_stream=["LANDMARKS:landmarks", "IMAGE_SIZE:size"],
            output_stream=["BLENDSHAPES:blendshapes"],
        )
        express.options.Extensions[shapes.ext].CopyFrom(shapes)
        config = Config(node=[look, size, express], input_stream=["image", "region"])
        self._graph = Graph(config, ["landmarks", "score", "blendshapes"])
        self._mesh = Mesh(min_confidence)

    def packet(self, picture: Picture, frame: Any) -> Any:
        """Return a picture as `look` wants it."""
        return image_packet(picture), frame

    def glance(self, packet: Any, region: Region, width: int, height: int) -> Face | None:
        """Return the face that the mesh sees in a region: less than half the work."""
        return self._mesh.look(packet[1], region, width, height)

    def look(self, packet: Any, region: Region, width: int, height: int) -> Face | None:
        """Return the face in a region, or None where there is none."""
        image, frame = packet
        packets = self._graph.run(image=image, region=region_packet(region, width, height))
        if "landmarks" not in packets:
            return self._mesh.look(frame, region, width, height)
        points = read_points(packets["landmarks"], width, height)
        shapes = packet_getter.get_proto(packets["blendshapes"]).classification
        return Face(
            box=box_of(points),
            confidence=packet_getter.get_float(packets["score"]),
            openness=mouth_openness(points),
            landmarks=points,
            blendshapes={shape.label: shape.score for shape in shapes},
        )

    def close(self) -> None:
        """End the graph."""
        self._graph.close()
        self._mesh.close()
