"""The tasks of `video`: one per kind of item.

Caching is by content, in the library (`lib.video.once`): Prefect's task cache would only know that a result was
made once, not whether its files still lie beside the video. Retries are for file systems and services that may answer
a moment later; a bad input is never tried again.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.tasks import Task

from lib.errors import InputError, UnavailableError
from lib.progress import Progress
from lib.runs.report import Item, ItemState
from lib.settings import settings
from lib.video.analysis import Analysis
from lib.video.cache import ResultCache
from lib.video.hashes import HashBook
from lib.video.once import Action, analyse_once
from lib.video.options import VideoOptions
from lib.video.workspace import Workspace

PASSING = frozenset(
    {errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOLCK, errno.ENOMEM}
    | {errno.ESTALE, errno.ETXTBSY, errno.EDEADLK, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN}
    | {errno.ENETUNREACH, errno.ENETRESET, errno.ENOTCONN, errno.ETIMEDOUT}
)
"""Errors of a file system or a network that may be otherwise in a moment: busy, out of reach, out of handles."""


def may_pass(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether trying again can help: a file system that was busy or out of reach, and nothing else."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, TimeoutError | ConnectionError) or (isinstance(error, OSError) and error.errno in PASSING)


def item_task(name: str) -> Callable[[Callable[..., Item]], Task[..., Item]]:
    """Make a task of a function whose first argument is an item's subject."""
    return task(
        name=name,
        task_run_name=name + " · {subject}",
        retries=2,
        retry_delay_seconds=[1, 5],
        retry_jitter_factor=0.5,
        retry_condition_fn=may_pass,
        cache_policy=NO_CACHE,
        persist_result=False,
        log_prints=False,
    )


@item_task("extract")
def bring_in_source(subject: str, source: Any, workspace: Workspace, options: VideoOptions, progress: Progress) -> Item:
    """Bring one source (archive, folder or video) into the workspace as a project."""
    from lib.video.sources import bring_in

    intake = bring_in(source, workspace.projects, options.extract, progress)
    state = ItemState.KEPT if intake.action == "kept" else ItemState.DONE
    return Item(subject=subject, state=state, counts=intake.counts, notes=intake.notes)


@item_task("convert")
def convert(subject: str, video: Path, options: VideoOptions, progress: Progress) -> Item:
    """Convert one video to the constant frame rate."""
    from lib.video.convert.convert import convert_video

    conversion = convert_video(video, options.convert, progress)
    converted = conversion.action == "converted"
    words = (conversion.reason, conversion.encoder_reason)
    get_run_logger().info("%s: %s: %s", subject, conversion.action, "; ".join(filter(None, words)))
    return Item(
        subject=subject,
        state=ItemState.DONE if converted else ItemState.KEPT,
        engine=conversion.encoder or "",
        reason=conversion.reason,
        counts={"frames": conversion.frames},
    )


@item_task("analyse")
def analyse(
    subject: str,
    phase: str,
    analysis: Analysis,
    video: Path,
    workspace: Workspace,
    options: VideoOptions,
    progress: Progress,
) -> Item:
    """Make one analysis (`scenes`, `audio` or `tracking`) of one video, unless its result is known already."""
    outcome = analyse_once(
        analysis,
        phase,
        video,
        getattr(options, phase),
        cache=_cache(),
        hashes=_hashes(),
        archives=workspace.archives,
        progress=progress,
        force=options.force,
    )
    summary = outcome.summary
    get_run_logger().info("%s: %s by %s (%s)", subject, outcome.action, summary.engine, summary.reason)
    return Item(
        subject=subject,
        state=ItemState.KEPT if outcome.action == "kept" else ItemState.DONE,
        engine=f"{summary.engine} {summary.engine_version}".strip(),
        reason=summary.reason if outcome.action in {"kept", "computed"} else f"found by content: {outcome.action}",
        seconds=outcome.seconds,
        found=outcome.action in {Action.RECALLED, Action.ARCHIVED},
        counts=summary.counts,
        notes=summary.notes,
    )


@item_task("reduce")
def reduce(subject: str, video: Path, options: VideoOptions, progress: Progress) -> Item:
    """Reduce the audio and tracking results of one video."""
    from lib.video.reduce.reduce import reduce_results

    reduction = reduce_results(video, options.reduce, progress, _cache())
    return Item(
        subject=subject,
        state=ItemState.DONE if reduction.changed else ItemState.KEPT,
        counts={"bytes_before": reduction.bytes_before, "bytes_after": reduction.bytes_after},
    )


@item_task("finish")
def finish_video(subject: str, video: Path, workspace: Workspace, options: VideoOptions, progress: Progress) -> Item:
    """Check the results of one video, export its scenes, write its report and keep its results in the archives."""
    from lib.video.finalise.finish import finish_video as finish

    changed = finish(subject, video, workspace, options, _hashes(), progress)
    return Item(subject=subject, state=ItemState.DONE if changed else ItemState.KEPT)


@item_task("finish project")
def finish_project(
    subject: str, project: Path, workspace: Workspace, options: VideoOptions, progress: Progress
) -> Item:
    """Write the report and the tables of one project and copy it to the output."""
    from lib.video.finalise.finish import finish_project as finish

    published = finish(project, workspace, options, progress)
    return Item(
        subject=subject,
        state=ItemState.DONE if published.copied else ItemState.KEPT,
        counts={"files": len(published.copied) + published.kept, "bytes": published.total_bytes},
    )


def _cache() -> ResultCache:
    return ResultCache(settings().cache / "results", int(settings().cache_limit_gb * 1e9))


def _hashes() -> HashBook:
    return HashBook(settings().cache / "hashes.db")


def failure(subject: str, error: Exception) -> Item:
    """Return the item of work that ended with an error, in words for a person."""
    if isinstance(error, InputError | UnavailableError):
        reason = str(error)
    elif isinstance(error, OSError) and error.errno == errno.ENOSPC:
        reason = "The disk is full. Free some space and run again: what is done already is kept."
    elif isinstance(error, OSError):
        reason = f"{error.strerror or error}: {Path(str(error.filename)).name if error.filename else 'a file'}"
    else:
        reason = f"{type(error).__name__}: {error}"
    return Item(subject=subject, state=ItemState.FAILED, reason=reason)
