"""What a run of `video` left on the disk, computed from the disk."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lib.runs.report import ItemState
from lib.storage.address import is_url
from lib.video.brought import brought, projects_from
from lib.video.extract.manifest import as_text
from lib.video.extract.options import ExtractOptions
from lib.video.results import Results, find_videos
from lib.video.sources import find_sources
from lib.video.stored import seen
from lib.video.workspace import Workspace


def outputs_of(
    source: str, out: str, options: ExtractOptions | None = None, storage: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the outputs of a source, per video: `project`, `video`, and `files`, a path or URL per kind of result.

    Only files that are there are named. A project's own outputs (report, tables) come with an empty `video`. `storage`
    are fsspec's options for an `out` that is a URL.
    """
    outputs: list[dict[str, Any]] = []
    with seen(out, storage) as workspace:
        for project in projects_from(source, workspace, options or ExtractOptions()):
            published = workspace.output / project.name
            archive = workspace.archives / project.name
            own = {"report": published / "report.html", "output": published, "archive": archive}
            outputs.append({"project": project.name, "video": "", "files": _present(own, workspace)})
            for video in find_videos(project):
                copy = published / video.relative_to(project)
                results = Results(copy if copy.exists() else video)
                files = {
                    "video": results.video,
                    "report": results.report_html,
                    "csv": results.scenes_csv,
                    "scenes": results.scenes_json,
                    "audio": results.audio_json,
                    "rttm": results.rttm,
                    "tracking": results.tracking_json,
                    "edl": results.edl,
                    "otio": results.otio,
                }
                name = video.relative_to(project).as_posix()
                outputs.append({"project": project.name, "video": name, "files": _present(files, workspace)})
    return outputs


def failures_of(
    source: str,
    out: str,
    phases: Iterable[str],
    options: ExtractOptions | None = None,
    storage: Mapping[str, Any] | None = None,
) -> list[dict[str, str]]:
    """Return each item of a source that failed when these phases last worked on it: its `file`, `phase` and `reason`.

    What failed once and is no longer there, and what came from another source, is left out. An archive that did not
    come in is named as it lies in the source: what its project would have been called may say little.
    """
    options = options or ExtractOptions()
    with seen(out, storage) as workspace:
        projects = projects_from(source, workspace, options)
        subjects = [workspace.subject(path) for project in projects for path in (project, *find_videos(project))]
        names = {"extract": _sources(source, workspace, options)}
        worked_on = dict(zip(subjects, subjects, strict=True))
        return [
            {"file": known[item.subject], "phase": phase, "reason": item.reason}
            for phase in phases
            for known in [names.get(phase, worked_on)]
            for item in workspace.outcomes(phase).values()
            if item.state is ItemState.FAILED and item.subject in known
        ]


def _sources(source: str, workspace: Workspace, options: ExtractOptions) -> dict[str, str]:
    """Return how what the source holds is called there, by subject."""
    if is_url(source):
        noted = brought(source, workspace)
        return noted.files if noted else {}
    place = Path(source).absolute()
    found = find_sources(place, options) if place.exists() else []
    return {each.name: as_text(each.path.name) for each in found}


def _present(files: dict[str, Path], workspace: Workspace) -> dict[str, str]:
    return {name: workspace.address(path) for name, path in files.items() if path.exists()}
