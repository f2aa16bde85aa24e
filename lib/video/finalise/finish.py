"""The last steps for one video, and for one project."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from lib.errors import InputError
from lib.progress import Progress
from lib.runs.report import PhaseReport
from lib.video.archive import Action, archive_video
from lib.video.export import write_edl, write_otio
from lib.video.extract.manifest import Manifest
from lib.video.finalise.check import PHASES, check_results
from lib.video.finalise.publish import Published, publish, results_beside
from lib.video.hashes import HashBook
from lib.video.media import Media, probe
from lib.video.options import VideoOptions
from lib.video.plan import VIDEO
from lib.video.report.page import identity, is_made_from
from lib.video.report.project import Entry, write_project_report
from lib.video.report.video import write_video_report
from lib.video.results import Results, find_videos
from lib.video.scenes.table import read_scenes
from lib.video.tables import FOLDER, write_tables
from lib.video.workspace import Workspace


def finish_video(
    subject: str, video: Path, workspace: Workspace, options: VideoOptions, hashes: HashBook, progress: Progress
) -> bool:
    """Export the scenes of a video, write its report, archive its results and check that they are whole.

    Returns whether anything was written. InputError says which results are missing or damaged, once the rest is done.
    """
    facts = probe(video)
    results = Results(video)
    changed = False
    if results.scenes_csv.exists():
        changed |= _export(video, results, facts)
    made_of = (video, *(file for file in results_beside(video) if file != results.report_html))
    made_from = identity(facts, options.report, files=made_of)
    if not is_made_from(results.report_html, made_from):
        write_video_report(video, results.report_html, options.report, facts, progress, made_from)
        changed = True
    if options.finalise.archive:
        project = workspace.subject(video).partition("/")[0]
        seconds = _seconds(subject, workspace)
        _, action = archive_video(video, project, workspace.archives, hashes.sha256(video), seconds, workspace.address)
        changed |= action is not Action.KEPT
    if problems := check_results(video, required_of(workspace)):
        raise InputError(" ".join(problem.message for problem in problems))
    return changed


def finish_project(project: Path, workspace: Workspace, options: VideoOptions, progress: Progress) -> Published:
    """Write the report and the tables of a project and copy the project to the output."""
    write_tables(project, project / FOLDER)
    entries = [_entry(video, workspace) for video in find_videos(project)]
    phases = list(reports_of(project, workspace))
    files = [file for entry in entries for file in (entry.video, *results_beside(entry.video))]
    made_from = identity(phases, options.report, files=(workspace.security_log, *files))
    target = project / "report.html"
    if not is_made_from(target, made_from):
        write_project_report(
            project.name,
            entries,
            target,
            options.report,
            phases=phases,
            security_log=workspace.security_log,
            archive=manifest.source if (manifest := Manifest.read(project)) else "",
            made_from=made_from,
        )
    return publish(project, workspace.output, options.finalise, progress, required_of(workspace))


def required_of(workspace: Workspace) -> set[str]:
    """Return the analyses whose results must be there: those that ever ran in this workspace."""
    return {phase for phase in PHASES if workspace.outcomes(phase)}


def reports_of(project: Path, workspace: Workspace) -> Iterator[PhaseReport]:
    """Return what became of the items of one project in each phase, in the order of the plan.

    The copying of the project itself is left out: it comes after the report.
    """
    prefix = f"{workspace.subject(project)}/"
    for phase in VIDEO.phases:
        items = workspace.outcomes(phase.key).values()
        named = {project.name} if phase.key == "extract" else set()
        own = tuple(i for i in items if i.subject.startswith(prefix) or i.subject in named)
        yield PhaseReport(phase=phase.key, items=own)


def _entry(video: Path, workspace: Workspace) -> Entry:
    facts: Media | None = None
    with contextlib.suppress(InputError):  # the report says why: the phase that failed on it did
        facts = probe(video)
    report = Results(video).report_html
    return Entry(workspace.subject(video), video, facts, report=report if report.exists() else None)


def _export(video: Path, results: Results, facts: Media) -> bool:
    scenes = read_scenes(results.scenes_csv)
    changed = False
    for target, write in ((results.edl, write_edl), (results.otio, write_otio)):
        if not target.exists() or target.stat().st_mtime_ns < results.scenes_csv.stat().st_mtime_ns:
            write(scenes, facts.frame_rate, video.name, target)
            changed = True
    return changed


def _seconds(subject: str, workspace: Workspace) -> dict[str, float]:
    """Return how long each phase worked on a video."""
    spent = ((phase.key, workspace.outcomes(phase.key).get(subject)) for phase in VIDEO.phases)
    return {key: round(item.seconds, 3) for key, item in spent if item and item.seconds}
