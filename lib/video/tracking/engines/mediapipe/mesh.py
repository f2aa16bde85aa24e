"""The face mesh of MediaPipe's package: 478 landmarks of the face in a region."""

from typing import Any

from mediapipe.python import packet_creator, packet_getter

from lib.video.tracking.engines.mediapipe.graph import Config, Graph, Node, read_points, region_packet
from lib.video.tracking.engines.mediapipe.regions import Region, box_of
from lib.video.tracking.faces import Face, Picture, mouth_openness

SCORE = "facelandmarkcpu__face_presence_score"
"""The stream inside the graph that says how sure it is of a face; its own threshold, 0.5, stays below."""


class Mesh:
    """The landmark part of the solution, with the refined points of eyes and lips ("attention")."""

    def __init__(self, min_confidence: float) -> None:
        node = Node(
            calculator="FaceLandmarkCpu",
            input_stream=["IMAGE:image", "ROI:region"],
            output_stream=["LANDMARKS:landmarks"],
            input_side_packet=["WITH_ATTENTION:with_attention"],
        )
        config = Config(node=[node], input_stream=["image", "region"], input_side_packet=["with_attention"])
        self._graph = Graph(config, ["landmarks", SCORE], {"with_attention": packet_creator.create_bool(True)})
        self._min_confidence = min_confidence

    def packet(self, picture: Picture, frame: Any) -> Any:
        """Return a picture as `look` wants it."""
        return frame

    def glance(self, packet: Any, region: Region, width: int, height: int) -> Face | None:
        """Return the face in a region, or None where there is none."""
        return self.look(packet, region, width, height)

    def look(self, packet: Any, region: Region, width: int, height: int) -> Face | None:
        """Return the face in a region, or None where there is none."""
        packets = self._graph.run(image=packet, region=region_packet(region, width, height))
        if "landmarks" not in packets:
            return None
        score = packet_getter.get_float(packets[SCORE])
        if score < self._min_confidence:
            return None
        points = read_points(packets["landmarks"], width, height)
        return Face(box=box_of(points), confidence=score, openness=mouth_openness(points), landmarks=points)

    def close(self) -> None:
        """End the graph."""
        self._graph.close()
