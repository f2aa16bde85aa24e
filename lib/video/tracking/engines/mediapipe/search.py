"""MediaPipe's face detectors, which are in its package: boxes and eyes of faces in a picture or in parts of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from mediapipe.modules.face_detection import face_detection_pb2
from mediapipe.python import packet_getter

from lib.video.tracking.engines.mediapipe.graph import Config, Graph, Node, frame_packet
from lib.video.tracking.engines.mediapipe.regions import Box, Region, overlap, region_of_detection, tiles
from lib.video.tracking.faces import Picture
from lib.video.tracking.options import Search

Part = tuple[int, int, int, int]
"""Left, top, right, bottom of a part of a picture."""

TILE_SIDE = 192
"""Side of the far-range detector's input: a picture that is not larger gains nothing from being cut up."""
SAME_DETECTION = 0.3
"""Overlap from which detections of two tiles are one."""


@dataclass(frozen=True)
class Detection:
    """A face that was found."""

    box: Box
    score: float
    region: Region


class FaceSearch:
    """Finds faces in pictures, each by itself."""

    def __init__(self, search: Search, min_confidence: float) -> None:
        reach = "ShortRange" if search == "near" else "FullRange"
        node = Node(
            calculator=f"FaceDetection{reach}Cpu", input_stream=["IMAGE:image"], output_stream=["DETECTIONS:found"]
        )
        limits = face_detection_pb2.FaceDetectionOptions(min_score_thresh=min_confidence)
        node.options.Extensions[face_detection_pb2.FaceDetectionOptions.ext].CopyFrom(limits)
        self._graph = Graph(Config(node=[node], input_stream=["image"]), ["found"])
        self._tiles = search == "tiles"

    def find(self, picture: Picture, packet: Any) -> list[Detection]:
        """Return the faces in a picture, the surest first; `packet` is the same picture."""
        height, width = picture.shape[:2]
        found = self._part(packet, (0, 0, width, height))
        if self._tiles and max(width, height) > TILE_SIDE:
            for left, top, right, bottom in tiles(width, height):
                part = np.ascontiguousarray(picture[top:bottom, left:right])
                found += self._part(frame_packet(part), (left, top, right, bottom))
        distinct: list[Detection] = []
        for detection in sorted(found, key=lambda one: (-one.score, one.box)):
            if all(overlap(detection.box, other.box) < SAME_DETECTION for other in distinct):
                distinct.append(detection)
        return distinct

    def close(self) -> None:
        """End the detector."""
        self._graph.close()

    def _part(self, packet: Any, part: Part) -> list[Detection]:
        packets = self._graph.run(image=packet)
        if "found" not in packets:
            return []
        return [_detection(one, part) for one in packet_getter.get_proto_list(packets["found"])]


def _detection(found: Any, part: Part) -> Detection:
    left, top, right, bottom = part
    width, height = right - left, bottom - top
    place = found.location_data.relative_bounding_box
    x, y = left + place.xmin * width, top + place.ymin * height
    box = (x, y, x + place.width * width, y + place.height * height)
    eyes = [(left + eye.x * width, top + eye.y * height) for eye in found.location_data.relative_keypoints[:2]]
    return Detection(box, float(found.score[0]), region_of_detection(box, eyes[0], eyes[1]))
