"""Whether the results that some phases need are there, when the phases that make them are not run."""

from collections.abc import Sequence

from lib.errors import InputError
from lib.runs.plan import Phase
from lib.video.brought import projects_from
from lib.video.extract.options import ExtractOptions
from lib.video.plan import VIDEO
from lib.video.results import find_videos
from lib.video.workspace import Workspace


def require_needed(chosen: Sequence[Phase], source: str, workspace: Workspace, options: ExtractOptions) -> None:
    """Raise InputError when the chosen phases need what none of them makes and what is not in the workspace."""
    keys = {phase.key for phase in chosen}
    for phase in VIDEO.phases:
        wanting = next((each for each in chosen if phase.key in _needs(each)), None)
        if wanting is not None and phase.key not in keys and not _is_there(phase.key, source, workspace, options):
            raise InputError(
                f"Phase {wanting.number} ({wanting.key}) needs the results of phase {phase.number} ({phase.key}), "
                f"which are not all in {workspace.address()} yet: start from that phase (--from {phase.number})."
            )


def _needs(phase: Phase) -> set[str]:
    """Return the keys of the phases without whose results a phase has nothing to work on, whatever lies between."""
    return {key for need in phase.needs for key in (need, *_needs(VIDEO.phase(need)))}


def _is_there(key: str, source: str, workspace: Workspace, options: ExtractOptions) -> bool:
    projects = projects_from(source, workspace, options)
    if key == "extract":
        return bool(projects)
    outcomes = workspace.outcomes(key)
    return all(workspace.subject(video) in outcomes for project in projects for video in find_videos(project))
