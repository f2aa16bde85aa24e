"""Phase 2: every video at one constant frame rate."""

from pathlib import Path
from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import frames_of, run_batch, videos_of
from flows.video.place import at_hand
from lib.progress import Progress
from lib.runs.report import Item
from lib.storage.location import Location
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from tasks.video import convert


@phase_flow(VIDEO, "convert")
def convert_phase(source: Location, out: Location, options: VideoOptions) -> State[Any]:
    """Convert the videos of the workspace that are not at the constant frame rate yet.

    Args:
        source: What phase 1 brought in: the same archive, folder or video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.

    """

    def work(subject: str, video: Path, progress: Progress) -> Item:
        return convert(subject, video, options, progress)

    with at_hand("convert", source, out, options) as place:
        videos = videos_of(source, place.workspace, options)
        return conclude(run_batch("convert", place, frames_of(videos), work))
