"""An analysis that is not done twice: its results are kept, recalled from the cache or the archives, or computed."""

import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from lib.files import sha256
from lib.progress import Progress, silent
from lib.video.analysis import Analysis, Summary
from lib.video.archive import Archived, find_archived, kind_of
from lib.video.cache import ResultCache
from lib.video.disk import explained, place_all
from lib.video.hashes import HashBook
from lib.video.provenance import Provenance, relevant


class Action(StrEnum):
    """Where the results of an analysis came from."""

    KEPT = "kept"
    """They lay beside the video."""
    RECALLED = "recalled"
    """The cache had them, maybe from a video of another name or project."""
    ARCHIVED = "archived"
    COMPUTED = "computed"


@dataclass(frozen=True)
class Outcome:
    """What `analyse_once` did."""

    action: Action
    summary: Summary
    seconds: float
    fingerprint: str
    """Of the results; empty for archived ones that do not say what made them."""


def analyse_once(
    analysis: Analysis,
    phase: str,
    video: Path,
    options: Any,
    cache: ResultCache,
    hashes: HashBook,
    archives: Path | None,
    progress: Progress = silent,
    *,
    force: bool = False,
    accept_legacy: bool = False,
) -> Outcome:
    """Make sure that the results of an analysis lie beside the video, with as little work as possible.

    They are the right ones when their provenance has the fingerprint that this content, these options, this engine and
    these inputs give. `force` analyses in any case. `accept_legacy` takes archived results that say nothing of engine
    and options. Raises InputError when the video cannot be analysed and UnavailableError when no engine can run.
    """
    begin = time.monotonic()
    with explained():
        expected = _expected(analysis, phase, video, options, hashes)
        action, fingerprint = (None, "") if force else _found(analysis, video, expected, cache, archives, accept_legacy)
        if action is not None:
            summary = _summary(analysis.outputs(video)[0], fingerprint, cache)
        else:
            action = Action.COMPUTED
            summary = analysis.analyse(video, options, expected.video_sha256, progress)
            fingerprint = _remember(analysis, video, summary, cache)
    return Outcome(action, summary, time.monotonic() - begin, fingerprint)


def is_current(analysis: Analysis, phase: str, video: Path, options: Any, hashes: HashBook) -> bool:
    """Whether the results beside the video are those that the analysis would give; nothing is written."""
    return _is_kept(analysis, video, _expected(analysis, phase, video, options, hashes).fingerprint)


def _expected(analysis: Analysis, phase: str, video: Path, options: Any, hashes: HashBook) -> Provenance:
    choice = analysis.choose(options)
    content = hashes.sha256(video)
    inputs = analysis.inputs(video, options)
    return Provenance(phase, choice.engine, choice.version, choice.reason, content, relevant(options), inputs)


def _is_kept(analysis: Analysis, video: Path, fingerprint: str) -> bool:
    outputs = analysis.outputs(video)
    provenance = Provenance.read(outputs[0])
    return (
        provenance is not None and provenance.fingerprint == fingerprint and all(output.is_file() for output in outputs)
    )


def _found(
    analysis: Analysis,
    video: Path,
    expected: Provenance,
    cache: ResultCache,
    archives: Path | None,
    accept_legacy: bool,
) -> tuple[Action | None, str]:
    """Return where results were found (they are in place then), and their fingerprint."""
    fingerprint = expected.fingerprint
    if _is_kept(analysis, video, fingerprint):
        return Action.KEPT, fingerprint
    outputs = analysis.outputs(video)
    if cache.recall(fingerprint, outputs, _rename_inside):
        return Action.RECALLED, fingerprint
    entries = find_archived(archives, sha256=expected.video_sha256) if archives else []
    for entry in entries:
        if entry.fingerprint(expected.phase) == fingerprint and _place_archived(entry, video, outputs):
            return Action.ARCHIVED, fingerprint
    for entry in entries if accept_legacy else ():
        if entry.legacy and _place_archived(entry, video, [o for o in outputs if kind_of(o, video) in entry.files]):
            return Action.ARCHIVED, ""
    return None, ""


def _remember(analysis: Analysis, video: Path, summary: Summary, cache: ResultCache) -> str:
    """Keep new results in the cache, under the engine that really made them; return their fingerprint."""
    outputs = analysis.outputs(video)
    provenance = Provenance.read(outputs[0])
    if provenance is None:
        raise RuntimeError(f"{outputs[0].name} was written without its provenance")
    about = {"counts": dict(summary.counts), "notes": list(summary.notes)}
    cache.remember(provenance.fingerprint, outputs, about)
    return provenance.fingerprint


def _place_archived(entry: Archived, video: Path, outputs: Any) -> bool:
    """Copy results out of the archives, all or none; one that is not what was archived counts as missing."""
    kinds = [kind_of(output, video) for output in outputs]
    if not outputs or any(kind is None or kind not in entry.files for kind in kinds):
        return False
    if all(
        output.is_file() and sha256(output) == sha256(entry.files[kind_of(output, video) or ""]) for output in outputs
    ):
        return True

    def write(position: int, temporary: Path) -> None:
        kind = kinds[position]
        assert kind is not None
        shutil.copyfile(entry.files[kind], temporary)
        if entry.digest(kind) not in (None, sha256(temporary)):
            raise _DamagedError
        _rename_inside(temporary, outputs[position])

    try:
        place_all(outputs, write)
    except (_DamagedError, FileNotFoundError):
        return False
    return True


class _DamagedError(Exception):
    """An archived file is not what was archived."""


def _rename_inside(temporary: Path, target: Path) -> None:
    """Put the video's own name into a file that holds the name of the video it was made for: RTTM, in each line."""
    if target.suffix == ".rttm":
        name = re.sub(rb"\s", b"_", os.fsencode(target.stem))  # a field ends at white space; names need not be text
        lines = temporary.read_bytes().splitlines(keepends=True)
        temporary.write_bytes(b"".join(re.sub(rb"^(\S+[ \t]+)\S+", lambda m: m[1] + name, line) for line in lines))


def _summary(output: Path, fingerprint: str, cache: ResultCache) -> Summary:
    """Return what can be said of results that were not made now."""
    provenance = Provenance.read(output)
    if provenance is None:
        return Summary("unknown", "", "archived without saying what made it", {})
    about = cache.about(fingerprint)
    counts, notes = about.get("counts"), about.get("notes")
    return Summary(
        provenance.engine,
        provenance.engine_version,
        provenance.reason,
        counts if isinstance(counts, Mapping) else {},
        tuple(map(str, notes)) if isinstance(notes, list) else (),
    )
