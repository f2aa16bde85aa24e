"""Phase 6: result files without what After Effects does not need."""

from pathlib import Path
from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import run_batch, videos_of
from flows.video.place import at_hand
from lib.progress import Progress
from lib.runs.report import Item
from lib.storage.location import Location
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from lib.video.results import Results
from tasks.video import reduce


@phase_flow(VIDEO, "reduce")
def reduce_phase(source: Location, out: Location, options: VideoOptions) -> State[Any]:
    """Reduce the audio and tracking results of the workspace's videos.

    Args:
        source: What phase 1 brought in: the same archive, folder or video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.

    """

    def work(subject: str, video: Path, progress: Progress) -> Item:
        return reduce(subject, video, options, progress)

    with at_hand("reduce", source, out, options) as place:
        sizes = {video: _bytes_of(video) for video in videos_of(source, place.workspace, options)}
        return conclude(run_batch("reduce", place, sizes, work, needs="convert"))


def _bytes_of(video: Path) -> float:
    results = Results(video)
    files = [file for file in (results.audio_json, results.tracking_json) if file.exists()]
    return float(sum(file.stat().st_size for file in files) or 1)
