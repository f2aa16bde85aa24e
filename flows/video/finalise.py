"""Phase 7: results checked, reported, archived, and copied to the output."""

from pathlib import Path
from typing import Any

from prefect import State

from flows.orchestration import conclude, phase_flow
from flows.video.common import frames_of, projects_of, run_batch
from flows.video.place import at_hand
from lib.progress import Progress
from lib.runs.report import Item
from lib.storage.location import Location
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from lib.video.results import find_videos
from tasks.video import finish_project, finish_video


@phase_flow(VIDEO, "finalise")
def finalise_phase(source: Location, out: Location, options: VideoOptions) -> State[Any]:
    """Check, report and archive each video, then report each project and copy it to the output.

    Args:
        source: What phase 1 brought in: the same archive, folder or video.
        out: The folder where projects, results and archives are kept.
        options: How each phase does its work, one group per phase.

    """
    with at_hand("finalise", source, out, options) as place:
        projects = projects_of(source, place.workspace, options)

        def work(subject: str, path: Path, progress: Progress) -> Item:
            if path in projects:
                return finish_project(subject, path, place.workspace, options, progress)
            place.fetch_archived(path)
            return finish_video(subject, path, place.workspace, options, progress)

        videos = frames_of(video for project in projects for video in find_videos(project))
        # A project is counted as work beside its videos: it is copied.
        sizes = videos | {project: sum(videos[v] for v in find_videos(project)) or 1.0 for project in projects}
        return conclude(run_batch("finalise", place, sizes, work, needs="convert"))
