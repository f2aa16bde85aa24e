"""MediaPipe's graphs, run one picture at a time.

The graphs behind MediaPipe's solutions and tasks decide by themselves when to search and whom to follow, and keep the
scores to themselves. Here their parts (search, landmarks in a region, blendshapes) are called one by one.
"""

import os

os.environ.setdefault("GLOG_minloglevel", "3")  # it counts only before the import

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
from mediapipe.framework import calculator_pb2
from mediapipe.framework.formats import rect_pb2
from mediapipe.python import packet_creator, packet_getter
from mediapipe.python._framework_bindings import calculator_graph, resource_util

from lib.video.tracking.engines.mediapipe.regions import Region
from lib.video.tracking.faces import Picture, Points

resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))

Config = calculator_pb2.CalculatorGraphConfig
Node = calculator_pb2.CalculatorGraphConfig.Node


class Graph:
    """A graph that is fed by hand: packets in, packets out, one time step after the other, on one thread."""

    def __init__(self, config: Any, outputs: Sequence[str], side: Mapping[str, Any] | None = None) -> None:
        config.num_threads = 1
        self._graph = calculator_graph.CalculatorGraph(graph_config=config)
        self._packets: dict[str, Any] = {}
        self._time = 0
        for name in outputs:
            self._graph.observe_output_stream(name, self._packets.__setitem__, True)
        self._graph.start_run(dict(side or {}))

    def run(self, **inputs: Any) -> dict[str, Any]:
        """Run one step; return the packets of the outputs that have one."""
        self._packets.clear()
        self._time += 1
        for name, packet in inputs.items():
            self._graph.add_packet_to_input_stream(name, packet.at(self._time))
        self._graph.wait_until_idle()
        return {name: packet for name, packet in self._packets.items() if not packet.is_empty()}

    def close(self) -> None:
        """End the graph."""
        self._graph.close()


def frame_packet(picture: Picture) -> Any:
    """Return a picture as the graphs of the solutions take it."""
    return packet_creator.create_image_frame(data=picture, image_format=mediapipe.ImageFormat.SRGB)


def image_packet(picture: Picture) -> Any:
    """Return a picture as the graphs of the tasks take it."""
    return packet_creator.create_image(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture))


def region_packet(region: Region, width: int, height: int) -> Any:
    """Return a region of a picture of that size."""
    return packet_creator.create_proto(
        rect_pb2.NormalizedRect(
            x_center=region.x / width,
            y_center=region.y / height,
            width=region.side / width,
            height=region.side / height,
            rotation=region.angle,
        )
    )


def read_points(packet: Any, width: int, height: int) -> Points:
    """Return landmarks in pixels of a picture of that size."""
    marks = packet_getter.get_proto(packet).landmark
    points = np.array([(mark.x, mark.y, mark.z) for mark in marks], dtype=np.float32)
    return points * np.array([width, height, width], dtype=np.float32)
