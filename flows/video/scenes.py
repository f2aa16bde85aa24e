"""Phase 3: scene cuts."""

from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import run_analysis
from lib.storage.location import Location
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO


@phase_flow(VIDEO, "scenes")
def scenes_phase(source: Location, out: Location, options: VideoOptions) -> State[Any]:
    """Find the scene cuts of the workspace's videos.

    Args:
        source: What phase 1 brought in: the same archive, folder or video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.

    """
    return conclude(run_analysis("scenes", source, out, options))
