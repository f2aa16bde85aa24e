"""Phase 4: who speaks when."""

from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import run_analysis
from lib.video.options import VideoOptions


@phase_flow("video-audio")
def audio_phase(source: str, out: str, options: VideoOptions) -> State[Any]:
    """Find who speaks when in the workspace's videos (V4)."""
    return conclude(run_analysis("audio", source, out, options))
