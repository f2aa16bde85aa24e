"""Phase 5: faces."""

from typing import Any

from prefect import State, flow

from flows.orchestration import conclude
from flows.video.common import run_analysis
from lib.video.options import VideoOptions


@flow(name="video-tracking", persist_result=False)
def tracking_phase(source: str, out: str, options: VideoOptions) -> State[Any]:
    """Track the faces in the workspace's videos (V5)."""
    return conclude(run_analysis("tracking", source, out, options))
