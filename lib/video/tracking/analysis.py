"""Phase 5: the faces of a video, who is who within a scene, and who speaks."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from lib.errors import InputError
from lib.files import TEMPORARY_SUFFIX, replacing, sha256
from lib.progress import Progress, silent
from lib.video.analysis import Choice, Summary
from lib.video.media import Media, probe
from lib.video.provenance import Provenance, relevant
from lib.video.results import Results
from lib.video.scenes.table import Scene, read_scenes
from lib.video.tracking.document import Counts, Document
from lib.video.tracking.engines import registry
from lib.video.tracking.options import TrackingOptions
from lib.video.tracking.pool import Advance, Pool
from lib.video.tracking.speaking import Audio
from lib.video.tracking.timeline import Chunk, Timeline, plan_chunks, read_timeline

PHASE = "tracking"


def outputs(video: Path) -> tuple[Path, ...]:
    """Return the file that tracking writes beside a video."""
    return (Results(video).tracking_json,)


def choose(options: TrackingOptions) -> Choice:
    """Say which engine would run; raises UnavailableError, with what is missing for each, when none can."""
    return registry.choose(options)


def inputs(video: Path, options: TrackingOptions) -> Mapping[str, str]:
    """Return the fingerprints of the scenes and of the audio beside the video, where they are there and wanted.

    The scenes' is of the table itself: a person may have corrected it.
    """
    results = Results(video)
    found = {}
    if options.use_scenes and results.scenes_csv.is_file():
        found["scenes"] = sha256(results.scenes_csv)
    if options.use_audio and results.audio_json.is_file():
        made = Provenance.read(results.audio_json)
        found["audio"] = made.fingerprint if made else sha256(results.audio_json)
    return found


def analyse(video: Path, options: TrackingOptions, video_sha256: str, progress: Progress = silent) -> Summary:
    """Track the faces of a video and write `<stem>_tracking.json`.

    Raises InputError when it is not a video that can be decoded, UnavailableError when no engine can run here, and
    `pool.WorkerDiedError` when a process was killed.
    """
    choice = choose(options)
    media = probe(video)
    timeline = read_timeline(video)
    known = inputs(video, options)
    notes: list[str] = []
    scenes = _scenes(video, notes) if "scenes" in known else None
    audio = Audio(Results(video).audio_json if "audio" in known else None)
    provenance = Provenance(
        PHASE, choice.engine, choice.version, choice.reason, video_sha256, relevant(options), dict(known)
    )
    header = {
        "provenance": provenance.as_dict(),
        "engine": choice.engine,
        "engine_version": choice.version,
        "fps": float(media.frame_rate),
        "frames": timeline.frames,
        "width": media.width,
        "height": media.height,
        "scenes": len(scenes) if scenes is not None else None,
        "audio": audio.known,
    }
    (target,) = outputs(video)
    with replacing(target) as temporary, temporary.open("wb") as out:
        document = Document(out, header, options, float(media.frame_rate), audio)
        undecoded = _track(video, options, choice.engine, media, timeline, scenes or [], document, progress)
        document.finish()
    notes += _notes(timeline.frames, undecoded, document.counts, audio)
    return Summary(choice.engine, choice.version, choice.reason, asdict(document.counts), tuple(notes))


def _track(
    video: Path, options: TrackingOptions, engine: str, media: Media, timeline: Timeline, scenes: list[Scene],
    document: Document, progress: Progress,
) -> int:  # fmt: skip
    """Find the faces in all frames and give them to the document; return how many frames could not be decoded."""
    starts = sorted({frame for scene in scenes for frame in (scene.frame_in - 1, scene.frame_out)})
    chunks = plan_chunks(timeline.frames, starts, timeline.keys, options.chunk_frames)
    cuts = {0, *starts}
    processes = _processes(options, timeline)
    done = undecoded = 0
    with _temporaries(video.parent, len(chunks)) as files, Pool(processes, _job(video, options, engine, media)) as pool:
        for event in pool.run([_message(chunk, timeline, file) for chunk, file in zip(chunks, files, strict=True)]):
            if isinstance(event, Advance):
                done += event.frames
                progress(done, timeline.frames)
                continue
            undecoded += event.undecoded
            _merge(chunks[event.index], files[event.index], cuts, document)
    if undecoded == timeline.frames:
        raise InputError("No picture can be decoded: the video is damaged, or cut off before its first frame.")
    return undecoded


def _merge(chunk: Chunk, file: Path, cuts: set[int], document: Document) -> None:
    """Give the faces of a chunk to the document, and remove its file."""
    with file.open("rb") as stream:
        for frame, line in enumerate(stream, start=chunk.start):
            if frame in cuts:
                document.restart()
            document.add(frame + 1, orjson.loads(line))
    file.unlink()


def _processes(options: TrackingOptions, timeline: Timeline) -> int:
    if timeline.timestamps is None:
        return 1  # each process would decode everything that comes before its part
    return options.processes or len(os.sched_getaffinity(0))


def _job(video: Path, options: TrackingOptions, engine: str, media: Media) -> dict[str, Any]:
    scale = min(1.0, options.longest_side / max(media.width, media.height))
    return {
        "video": os.fsencode(video.absolute()).hex(),
        "engine": engine,
        "options": options.model_dump(mode="json"),
        "size": [max(1, round(media.width * scale)), max(1, round(media.height * scale))],
        "width": media.width,
    }


def _message(chunk: Chunk, timeline: Timeline, file: Path) -> dict[str, Any]:
    shown = timeline.timestamps
    return {
        "start": chunk.start,
        "stop": chunk.stop,
        "restarts": chunk.restarts,
        "timestamps": None if shown is None else shown[chunk.start : chunk.stop],
        "output": os.fsencode(file).hex(),
    }


@contextlib.contextmanager
def _temporaries(folder: Path, count: int) -> Iterator[list[Path]]:
    """Give names of temporary files, of which none is left afterwards."""
    token = secrets.token_hex(6)
    files = [folder.absolute() / f".{token}{TEMPORARY_SUFFIX}.{index}" for index in range(count)]
    try:
        yield files
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _scenes(video: Path, notes: list[str]) -> list[Scene] | None:
    try:
        return read_scenes(Results(video).scenes_csv)
    except InputError as error:
        notes.append(f"The scenes beside the video were left aside, and it was tracked as one: {error}")
        return None


def _notes(frames: int, undecoded: int, counts: Counts, audio: Audio) -> Iterator[str]:
    if undecoded:
        yield f"{undecoded} of {frames} frames could not be decoded and have no faces."
    if not counts.faces:
        yield "No face was found."
    if audio.problem:
        yield f"The audio beside the video was left aside where it could not be read: {audio.problem}."
