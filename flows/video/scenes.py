"""Phase 3: scene cuts."""

from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import run_analysis
from lib.video.options import VideoOptions


@phase_flow("video-scenes")
def scenes_phase(source: str, out: str, options: VideoOptions) -> State[Any]:
    """Find the scene cuts of the workspace's videos (V3)."""
    return conclude(run_analysis("scenes", source, out, options))
