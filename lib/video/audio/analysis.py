"""Who speaks when, as one of the analyses of a video (`lib.video.analysis`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from lib.errors import InputError, UnavailableError
from lib.progress import Progress, silent
from lib.video.analysis import Analysis, Choice, Summary
from lib.video.audio.engines import ENGINES, engine
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.result import listed, write_json, write_rttm
from lib.video.audio.segments import Segment, relabelled, smooth, speech, tidy
from lib.video.audio.sound import Sound
from lib.video.media import Media, probe
from lib.video.provenance import Provenance, relevant
from lib.video.results import Results

PHASE = "audio"
NO_SOUND = "the video has no sound, so there was nothing to listen to"


def outputs(video: Path) -> tuple[Path, ...]:
    """Return the files beside the video; the one that holds the provenance comes first."""
    results = Results(video)
    return results.audio_json, results.rttm


def inputs(video: Path, options: AudioOptions) -> Mapping[str, str]:
    """Return the fingerprints of results that are read: none."""
    return {}


def choose(options: AudioOptions, secrets: Secrets | None = None) -> Choice:
    """Say which engine would run, importing none of its packages.

    Raises UnavailableError when no engine of the chain can run here. The one that is chosen may still fail at work, and
    another one speak in its place.
    """
    return _chosen(options, secrets or Secrets.from_environment(), _Attempts())


def analyse(
    video: Path,
    options: AudioOptions,
    video_sha256: str,
    progress: Progress = silent,
    secrets: Secrets | None = None,
) -> Summary:
    """Find who speaks when and write it beside the video; a video without sound is one in which nobody speaks.

    Raises InputError when the video cannot be read, UnavailableError when every engine is missing or failed.
    """
    secrets = secrets or Secrets.from_environment()
    media = probe(video)
    sound = Sound.of(video, media)
    attempts = _Attempts()
    segments: list[Segment] = []
    if media.audio is None:
        choice = _chosen(options, secrets, attempts)
        choice = Choice(choice.engine, choice.version, NO_SOUND)
    else:
        choice, segments = _diarized(sound, options, secrets, progress, attempts)
    notes = attempts.notes()
    if media.audio is None:
        notes.append("no sound: written as silent throughout")
    elif sound.damaged[0]:
        notes.append(f"{sound.damaged[0]} packets of sound are damaged and were taken as silence")
    segments = smooth(tidy(segments, float(sound.duration)), options.gap_fill, options.min_on, options.min_off)
    segments = relabelled(segments)
    provenance = Provenance(
        PHASE, choice.engine, choice.version, choice.reason, video_sha256, relevant(options), inputs(video, options)
    )
    return _written(video, media, provenance, attempts, segments, notes, progress)


def with_secrets(secrets: Secrets) -> Analysis:
    """Return this analysis for engines that are given these secrets."""
    given = {"choose": partial(choose, secrets=secrets), "analyse": partial(analyse, secrets=secrets)}
    return cast(Analysis, SimpleNamespace(outputs=outputs, inputs=inputs, **given))


@dataclass
class _Attempts:
    """The engines that did not speak, and why."""

    missing: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def all(self) -> list[tuple[str, str]]:
        """Return both kinds; those that were missing come first."""
        return [*self.missing, *self.failed]

    def reason(self, name: str, first: bool) -> str:
        """Say why the engine of that name speaks."""
        before = self.all()
        if not before:
            return "the first of the chain" if first else "the next of the chain"
        return "; ".join(f"{other}: {why}" for other, why in before)

    def notes(self) -> list[str]:
        """Say which engines failed at work; one that is merely not set up is no news."""
        return [f"{name} failed: {why}" for name, why in self.failed]


class _StoppedError(BaseException):
    """The caller's progress raised: not a failure of the engine, so no `except Exception` may take it for one."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _chosen(options: AudioOptions, secrets: Secrets, attempts: _Attempts) -> Choice:
    """Return the first engine that can run, noting those before it."""
    for name in options.engines:
        found = engine(name)
        if found is None:
            attempts.missing.append((name, f"there is no such engine; those there are: {', '.join(ENGINES)}"))
        elif missing := found.unavailable(options, secrets):
            attempts.missing.append((name, missing))
        else:
            return Choice(name, found.version(options), attempts.reason(name, first=True))
    raise UnavailableError("No audio engine can run here. " + _why(attempts))


def _diarized(
    sound: Sound, options: AudioOptions, secrets: Secrets, progress: Progress, attempts: _Attempts
) -> tuple[Choice, list[Segment]]:
    """Let the engines try in their order; return the one that spoke and what it said."""

    def watched(done: int, total: int, item: str = "") -> None:
        try:
            progress(done, total, item)
        except Exception as error:
            raise _StoppedError(error) from error

    left = options
    while True:
        choice = _chosen(left, secrets, attempts)
        found = engine(choice.engine)
        assert found is not None  # it was chosen
        try:
            return choice, found.diarize(sound, options, secrets, watched)
        except _StoppedError as stopped:
            raise stopped.error from None
        except InputError:
            raise
        except Exception as error:  # noqa: BLE001 (an engine may fail in any way; the next one takes over)
            attempts.failed.append((choice.engine, _words(error, secrets)))
        position = left.engines.index(choice.engine) + 1
        if position == len(left.engines):
            raise UnavailableError("Every audio engine failed. " + _why(attempts))
        left = left.model_copy(update={"engines": left.engines[position:]})


def _words(error: Exception, secrets: Secrets) -> str:
    """Return an error on one line, without secrets; its kind too when its text is not meant for people."""
    text = str(error)
    for secret in filter(None, (secrets.hf_token, secrets.lemonfox_api_key)):
        text = text.replace(secret, "***")
    text = " ".join(text.split())[:300]
    return text if isinstance(error, UnavailableError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _why(attempts: _Attempts) -> str:
    return "; ".join(f"{name}: {why}" for name, why in attempts.all())


def _written(
    video: Path,
    media: Media,
    provenance: Provenance,
    attempts: _Attempts,
    segments: Sequence[Segment],
    notes: Sequence[str],
    progress: Progress,
) -> Summary:
    results = Results(video)
    rate: Fraction = media.frame_rate
    stretches = speech(segments)
    speakers = {each.speaker for each in segments if each.speaker}
    header = {
        "provenance": provenance.as_dict(),
        "engine": {"name": provenance.engine, "version": provenance.engine_version},
        "tried": [{"engine": name, "reason": why} for name, why in attempts.all()],
        "notes": list(notes),
        "fps": float(rate),
        "frame_rate": f"{rate.numerator}/{rate.denominator}",
        "frames": media.frames,
        "speakers": sorted(speakers),
        "segments": listed(segments),
    }
    write_rttm(results.rttm, video, segments)
    # Last, because it says that the analysis is done.
    spoken = write_json(results.audio_json, header, segments, media.frames, rate, progress)
    counts = {
        "frames": media.frames,
        "speakers": len(speakers),
        "segments": len(segments),
        "speech_frames": spoken,
        "speech_seconds": round(sum(end - start for start, end in stretches), 3),
    }
    return Summary(provenance.engine, provenance.engine_version, provenance.reason, counts, tuple(notes))
