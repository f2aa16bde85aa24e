"""Lemonfox: an HTTP interface like OpenAI's for transcriptions, with speaker labels. It gets the sound alone."""

import io
import json
import math
import random
import time
import wave
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from lib.errors import UnavailableError
from lib.progress import Progress
from lib.throttle import retry_after
from lib.video.audio.options import LEMONFOX_EU_URL, LEMONFOX_URL, AudioOptions, Secrets
from lib.video.audio.segments import Segment
from lib.video.audio.sound import RATE, Sound

if TYPE_CHECKING:
    import httpx

# Limits of the service, from its documentation.
MOST_BYTES = 100_000_000
MOST_SPEAKERS = 4

FLAC_SECONDS = MOST_BYTES // (RATE * 2) - 60
"""Up to here even sound that does not compress fits as FLAC; longer sound goes as Opus."""
OPUS_BITS = 24_000
"""A second: transparent for speech of 8 kHz bandwidth, and nine hours fit."""
ANSWER_BYTES = 128_000_000
"""An answer is refused beyond this size: a day of speech with its text is less."""
TRIAL_SECONDS = 30
"""How long the service may take to transcribe a second of silence."""
OWN = frozenset({LEMONFOX_URL, LEMONFOX_EU_URL})
"""A key of Lemonfox's is for both."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 120.0
"""Seconds before the second attempt (doubled each time), and the most that the service may ask us to wait."""

Sleep = Callable[[float], None]


def version(options: AudioOptions) -> str:
    """Return the version of the interface: the service does not tell that of its models."""
    return "v1"


def unavailable(options: AudioOptions, secrets: Secrets) -> str | None:
    """Say that the key or the HTTP client is missing, or that too many speakers are asked for."""
    if find_spec("httpx") is None:
        return "httpx missing: install the environment `audio` (`regie sync audio`)"
    if not secrets.lemonfox_api_key:
        return "no key: set LEMONFOX_API_KEY, or fill in the block `lemonfox`"
    wanted = options.num_speakers or options.min_speakers or 1
    if wanted > MOST_SPEAKERS:
        return f"it tells {MOST_SPEAKERS} speakers apart at most, and {wanted} are asked for"
    if not address(options, secrets):
        asked = options.lemonfox_url or LEMONFOX_EU_URL
        return f"its key is for {secrets.lemonfox_url}, and the options ask for {asked}: give a key for that"
    return None


def address(options: AudioOptions, secrets: Secrets) -> str | None:
    """Return the base address that is asked; None when the options name one that the key is not for."""
    asked = options.lemonfox_url or (LEMONFOX_EU_URL if options.lemonfox_eu else None)
    if not secrets.lemonfox_url:
        return asked or LEMONFOX_URL
    if asked is None:
        return secrets.lemonfox_url
    same = OWN if secrets.lemonfox_url in OWN else {secrets.lemonfox_url}
    return asked if asked in same else None


def diarize(
    sound: Sound, options: AudioOptions, secrets: Secrets, progress: Progress, sleep: Sleep = time.sleep
) -> list[Segment]:
    """Send the sound and return the segments of the answer; raises UnavailableError in words without the key."""
    seconds = math.ceil(sound.duration)
    name, kind, content = encoded(sound, lambda done: progress(done, 3 * seconds, "encoding for Lemonfox"))
    progress(seconds, 3 * seconds, "waiting for Lemonfox")
    answer = _transcribed((name, content, kind), options, secrets, sleep)
    progress(3 * seconds, 3 * seconds, "Lemonfox answered")
    return segments_of(answer)


def try_out(secrets: Secrets) -> None:
    """Have a second of silence transcribed; raises UnavailableError, in words without the key, when that fails."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(bytes(2 * RATE))
    options = AudioOptions(lemonfox_attempts=1, lemonfox_timeout=TRIAL_SECONDS)
    segments_of(_transcribed(("audio.wav", content, "audio/wav"), options, secrets, time.sleep))


def _transcribed(file: tuple[str, io.BytesIO, str], options: AudioOptions, secrets: Secrets, sleep: Sleep) -> bytes:
    import httpx

    base = address(options, secrets)
    assert base is not None  # else it is not available
    with httpx.Client(
        timeout=httpx.Timeout(options.lemonfox_timeout, connect=min(30.0, options.lemonfox_timeout)),
        headers={"Authorization": f"Bearer {secrets.lemonfox_api_key}"},
    ) as client:

        def ask() -> bytes:
            return _ask(client, f"{base}/audio/transcriptions", _fields(options), file, options)

        return _with_patience(ask, options.lemonfox_attempts, sleep)


def encoded(sound: Sound, progress: Callable[[int], None]) -> tuple[str, str, io.BytesIO]:
    """Return name, media type and content of the sound as FLAC, or as Opus when it is long; made in memory.

    Raises UnavailableError when it is too long even so.
    """
    short = sound.duration <= FLAC_SECONDS
    name, kind, container, codec = (
        ("audio.flac", "audio/flac", "flac", "flac") if short else ("audio.ogg", "audio/ogg", "ogg", "libopus")
    )
    content = io.BytesIO()
    with av.open(content, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        if not short:
            stream.bit_rate = OPUS_BITS
        position = 0
        for done, block in enumerate(sound.blocks(), 1):
            frame = AudioFrame.from_ndarray(block[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, position
            position += len(block)
            for packet in stream.encode(frame):
                output.mux(packet)
            if content.tell() > MOST_BYTES:
                raise UnavailableError("The sound is too long for Lemonfox, which takes 100 MB.")
            progress(done)
        for packet in stream.encode(None):
            output.mux(packet)
    content.seek(0)
    return name, kind, content


def segments_of(answer: bytes) -> list[Segment]:
    """Return the segments of a verbose JSON answer; those without times are left out, the speaker may be missing.

    Raises UnavailableError when it is no such answer.
    """
    try:
        segments = json.loads(answer)["segments"]
        entries = [entry for entry in segments if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnavailableError("Lemonfox gave an answer that is not a transcription with segments.") from error
    return list(_segments(entries))


def _segments(entries: list[dict[str, Any]]) -> Iterator[Segment]:
    for entry in entries:
        try:
            start, end = float(entry["start"]), float(entry["end"])
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        speaker = entry.get("speaker")
        known = isinstance(speaker, str | int) and not isinstance(speaker, bool) and str(speaker).strip()
        yield Segment(start, end, str(speaker).strip()[:100] if known else None)


def _fields(options: AudioOptions) -> dict[str, str]:
    fields = {"response_format": "verbose_json", "speaker_labels": "true"}
    if options.language:
        fields["language"] = options.language
    low = options.num_speakers or options.min_speakers
    high = options.num_speakers or options.max_speakers
    if low:
        fields["min_speakers"] = str(low)
    if high:
        fields["max_speakers"] = str(min(high, MOST_SPEAKERS))
    return fields


class _AgainError(Exception):
    """It failed in a way that may pass; `wait` is what the service asks for, in seconds."""

    def __init__(self, words: str, wait: float | None = None) -> None:
        super().__init__(words)
        self.wait = wait


def _with_patience(ask: Callable[[], bytes], attempts: int, sleep: Sleep) -> bytes:
    """Ask until there is an answer: longer and longer waits, with a random part so that many askers spread out."""
    for attempt in range(1, attempts + 1):
        try:
            return ask()
        except _AgainError as error:
            if attempt == attempts:
                raise UnavailableError(
                    f"{error} It was asked {attempts} times." if attempts > 1 else str(error)
                ) from None
            if error.wait is not None and error.wait > LONGEST_WAIT:
                raise UnavailableError(f"{error} It asks for a wait of {error.wait:.0f} s.") from None
            longest = FIRST_WAIT * 2 ** (attempt - 1)
            jitter = random.uniform(0.5, 1.0)  # noqa: S311 (no secret: it spreads the askers)
            sleep(error.wait if error.wait is not None else min(LONGEST_WAIT, longest * jitter))
    raise AssertionError("the last attempt returns or raises")


def _ask(
    client: "httpx.Client",
    url: str,
    fields: dict[str, str],
    file: tuple[str, io.BytesIO, str],
    options: AudioOptions,
) -> bytes:
    """Send one request and return the answer's body; what may pass raises _AgainError, the rest UnavailableError."""
    import httpx

    file[1].seek(0)
    deadline = time.monotonic() + options.lemonfox_timeout
    try:
        with client.stream("POST", url, data=fields, files={"file": file}) as response:
            _refuse(response)
            parts, size = [], 0
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > ANSWER_BYTES:
                    raise UnavailableError("Lemonfox gave an answer that is far too large.")
                if time.monotonic() > deadline:
                    raise _AgainError(f"Lemonfox did not answer within {options.lemonfox_timeout:.0f} s.")
            return b"".join(parts)
    # The errors of httpx may hold the request: `from None` keeps it, and the key in it, out of tracebacks.
    except httpx.TimeoutException:
        raise _AgainError(f"Lemonfox did not answer within {options.lemonfox_timeout:.0f} s.") from None
    except httpx.HTTPError as error:
        raise _AgainError(f"Lemonfox cannot be reached ({type(error).__name__}).") from None


REFUSALS = {
    400: "Lemonfox does not understand the request: check the language and the number of speakers.",
    401: "Lemonfox does not accept the key: check LEMONFOX_API_KEY, or the block `lemonfox`.",
    402: "Lemonfox asks for payment: check the account.",
    403: "Lemonfox does not allow this with the key: check the account.",
    404: "Nothing answers at this address: check `lemonfox_url`, or the block `lemonfox`.",
    413: "The sound is too large for Lemonfox.",
}
"""What people are told; the answer's own text is not repeated, since it may repeat the request."""


def _refuse(response: "httpx.Response") -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        words = "Lemonfox is busy (429)." if status == 429 else f"Lemonfox is out of order ({status})."
        raise _AgainError(words, retry_after(response.headers.get("Retry-After"), datetime.now(UTC)))
    if response.is_redirect:
        raise UnavailableError("This address sends on to another one, to which the key does not go: check the address.")
    if status != 200:
        raise UnavailableError(REFUSALS.get(status, f"Lemonfox refused the request ({status})."))
