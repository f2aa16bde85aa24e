"""Phase 5: faces."""

from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import run_analysis
from lib.video.options import VideoOptions


@phase_flow("video-tracking")
def tracking_phase(source: str, out: str, options: VideoOptions) -> State[Any]:
    """Track the faces in the workspace's videos (V5)."""
    return conclude(run_analysis("tracking", source, out, options))
