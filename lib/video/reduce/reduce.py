"""The results of audio and tracking without what After Effects does not need."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from lib.errors import InputError
from lib.progress import Progress, silent
from lib.video.cache import ResultCache
from lib.video.disk import Draft, explained, replacing_if_changed
from lib.video.provenance import Provenance
from lib.video.reduce.options import ReduceOptions
from lib.video.reduce.reading import Begin, Frame, Member, read_header, read_result, unexpected
from lib.video.reduce.writing import ResultWriter
from lib.video.results import Results

REDUCED = "reduced"
"""Header key of a reduced file: which keys were kept."""
_INTEGERS_END = 2.0**63


class Sink(Protocol):
    """Makes one more file from the full frames that go by; a context, at whose end the file is in place."""

    target: Path
    draft: Draft
    needs: ClassVar[set[str]]
    """Keys of tracked objects without which it makes nothing."""

    @property
    def starved(self) -> bool:
        """Whether there were objects, but none with what it needs."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None: ...

    def begin(self) -> None:
        """Start over."""

    def add(self, frame: Mapping[str, Any]) -> None:
        """Take in one frame."""


class Action(StrEnum):
    """What became of one file."""

    REDUCED = "reduced"
    KEPT = "kept"
    MISSING = "missing"


@dataclass(frozen=True)
class ReducedFile:
    """One result file before and after."""

    path: Path
    action: Action
    before: int
    """Bytes."""
    after: int
    """Bytes."""


@dataclass(frozen=True)
class Reduction:
    """What `reduce_results` did for one video."""

    files: tuple[ReducedFile, ...]
    """Audio, then tracking."""
    extra: tuple[Path, ...] = ()
    """What was asked for beside them: After Effects files, landmarks."""

    @property
    def changed(self) -> bool:
        """Whether a file was written anew."""
        return any(file.action is Action.REDUCED for file in self.files)

    @property
    def bytes_before(self) -> int:
        """Bytes of all files before."""
        return sum(file.before for file in self.files)

    @property
    def bytes_after(self) -> int:
        """Bytes of all files after."""
        return sum(file.after for file in self.files)


def reduce_results(
    video: Path, options: ReduceOptions, progress: Progress = silent, cache: ResultCache | None = None
) -> Reduction:
    """Rewrite the audio and tracking results of a video without what the options do not keep, in place and atomically.

    Progress counts bytes. A file that is reduced already is not written again. Where a reduced file has lost what the
    options now ask for, the full one comes from `cache`. Raises InputError when a file is not valid JSON, not a result,
    or has lost what is asked for; it is left as it is, and the other one is reduced all the same.
    """
    results = Results(video)
    jobs = (
        _Job("audio", 4, results.audio_json, options.audio_keys, _reduce_audio),
        _Job("tracking", 5, results.tracking_json, options.tracking_keys, _reduce_tracking),
    )
    total = sum(job.size for job in jobs)
    files: list[ReducedFile] = []
    extra: list[Path] = []
    refused: list[str] = []
    done = 0
    for job in jobs:
        sinks = _sinks(video, options) if job.phase == "tracking" else []
        before = job.size
        try:
            with explained():
                action = _reduce(job, sinks, cache, _after(done, total, job.path.name, progress))
        except InputError as error:
            refused.append(f"The {job.phase} results were left as they are: {str(error).rstrip('.')}.")
        else:
            files.append(ReducedFile(job.path, action, before, job.size))
            extra += [sink.target for sink in sinks if sink.target.exists()]
        done += before
        progress(done, total, job.path.name)
    if refused:
        raise InputError(" ".join(refused))
    if options.after_effects and any(file.action is not Action.MISSING for file in files):
        from lib.video.reduce.after_effects import index_by_frame

        with explained():
            extra.insert(0, index_by_frame(results))
    return Reduction(tuple(files), tuple(extra))


def _after(done: int, total: int, item: str, progress: Progress) -> Callable[[int], None]:
    return lambda read: progress(min(done + read, total), total, item)


@dataclass(frozen=True)
class _Job:
    phase: str
    number: int
    path: Path
    keys: tuple[str, ...]
    reduce: Callable[[Mapping[str, Any], Sequence[str]], dict[str, Any]]

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def lost(self) -> InputError:
        return InputError(
            f"they were reduced already and no longer hold what the options ask for; run phase {self.number} "
            f"({self.phase}) again with --force, then phase 6"
        )


def _sinks(video: Path, options: ReduceOptions) -> list[Sink]:
    sinks: list[Sink] = []
    if options.after_effects:
        from lib.video.reduce.after_effects import Keyframes

        sinks.append(Keyframes(video))
    if options.landmarks:
        from lib.video.reduce.landmarks import Landmarks  # pyarrow takes 50 MB

        sinks.append(Landmarks(video))
    return sinks


def _reduce(job: _Job, sinks: Sequence[Sink], cache: ResultCache | None, moved: Callable[[int], None]) -> Action:
    if not job.path.exists():
        return Action.MISSING
    held = _held(job.path)
    if held is None:
        return _rewrite(job, job.path, sinks, moved)
    wanted = [sink for sink in sinks if not (sink.target.exists() or sink.needs <= set(held))]
    if set(job.keys) <= set(held) and not wanted:
        missing = [sink for sink in sinks if not sink.target.exists()]
        if tuple(job.keys) == tuple(held) and not missing:
            return Action.KEPT
        return _rewrite(job, job.path, missing, moved)
    with _full(job, cache) as full:
        return _rewrite(job, full, [sink for sink in sinks if not sink.target.exists()], moved)


def _held(path: Path) -> list[str] | None:
    """Return the keys that a reduced file says it kept; None when it says nothing."""
    if Provenance.read(path) is None:
        return None  # only files with a provenance say it
    reduced = read_header(path).get(REDUCED)
    kept = reduced.get("kept") if isinstance(reduced, dict) else None
    return kept if isinstance(kept, list) else None


@contextlib.contextmanager
def _full(job: _Job, cache: ResultCache | None) -> Iterator[Path]:
    """Give the file as its analysis wrote it, from the cache."""
    provenance = Provenance.read(job.path)
    if cache is None or provenance is None:
        raise job.lost()
    with cache.opened(provenance.fingerprint, 0, job.path.parent) as full:
        if full is None:
            raise job.lost()
        yield full


def _rewrite(job: _Job, source: Path, sinks: Sequence[Sink], moved: Callable[[int], None]) -> Action:
    """Write `job.path` anew from `source`; the files of the sinks are in place before it is."""
    with replacing_if_changed(job.path) as draft, contextlib.ExitStack() as stack:
        for sink in sinks:
            stack.enter_context(sink)
        before, header = _copy(job, source, draft.path, None, sinks, moved)
        if before != header:  # keys came after the frames: they are known before them now
            _copy(job, source, draft.path, header, sinks, moved)
        for sink in sinks if draft.same() else ():
            if sink.starved:  # the file was reduced without saying so: nothing can be made from it
                if not sink.target.exists():
                    raise job.lost()
                sink.draft.dropped = True
    return Action.REDUCED if draft.changed else Action.KEPT


def _copy(
    job: _Job,
    source: Path,
    target: Path,
    known: dict[str, Any] | None,
    sinks: Sequence[Sink],
    moved: Callable[[int], None],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write the reduced file; return the header written (`known`, or what came before the frames) and all of it."""
    header: dict[str, Any] = {}
    written: dict[str, Any] = {}
    with ResultWriter(target) as writer:
        for part in read_result(source):
            if isinstance(part, Frame):
                frame = job.reduce(part.value, job.keys)
                if not _exact(frame):
                    frame = job.reduce(part.exact(), job.keys)
                writer.add(frame)
                for sink in sinks:
                    sink.add(part.value)
                moved(part.end)
            elif isinstance(part, Member):
                header[part.key] = part.value
            elif isinstance(part, Begin):
                written = dict(header if known is None else known)
                writer.begin(_with_mark(written, job.keys))
                for sink in sinks:
                    sink.begin()
    return written, header


def _with_mark(header: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Put what was kept behind the provenance, which stays the first key; a file without one stays as it is."""
    if "provenance" not in header:
        return dict(header)
    first = {"provenance": header["provenance"], REDUCED: {"kept": list(keys)}}
    return first | {key: value for key, value in header.items() if key not in first}


def _reduce_tracking(frame: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    objects = frame.get("tracked_objects")
    if not _numbered(frame) or not isinstance(objects, list):
        raise unexpected("a frame has no number or no list of tracked objects")
    kept = []
    for item in objects:
        if not isinstance(item, dict):
            raise unexpected("a tracked object is not an object")
        kept.append({key: item[key] for key in keys if key in item})
    return {"frame": frame["frame"], "tracked_objects": kept}


def _reduce_audio(frame: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    info = frame.get("audio_info")
    if not _numbered(frame) or not isinstance(info, dict):
        raise unexpected("a frame has no number or no audio")
    return {"frame": frame["frame"], "audio_info": {key: info[key] for key in keys if key in info}}


def _numbered(frame: Mapping[str, Any]) -> bool:
    return type(frame.get("frame")) is int


def _exact(value: Any) -> bool:
    """Whether no number in a value may be an integer that orjson had to round."""
    if isinstance(value, float):
        return -_INTEGERS_END < value < _INTEGERS_END
    if isinstance(value, dict):
        return all(map(_exact, value.values()))
    return all(map(_exact, value)) if isinstance(value, list) else True
