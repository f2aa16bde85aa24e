import io
import json
import threading
import traceback
from collections.abc import Callable

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import UnavailableError
from lib.progress import silent
from lib.video.audio.engines import lemonfox as engine
from lib.video.audio.options import LEMONFOX_EU_URL, LEMONFOX_URL, AudioOptions, Secrets
from lib.video.audio.segments import Segment
from lib.video.audio.sound import RATE, Sound

from ..conftest import Make, sound_of, tone
from .conftest import KEY, Answer, Lemonfox

pytest.importorskip("httpx", reason="httpx is in the environment audio")

SECRETS = Secrets(lemonfox_api_key=KEY)
Waits = tuple[list[float], Callable[[float], None]]


@pytest.fixture
def sound(make: Make) -> Sound:
    return sound_of(make(tone(2.0)))


def ask(
    sound: Sound, lemonfox: Lemonfox, waits: Waits, secrets: Secrets = SECRETS, **settings: object
) -> list[Segment]:
    options = AudioOptions(lemonfox_url=lemonfox.url, **settings)  # type: ignore[arg-type]
    return engine.diarize(sound, options, secrets, silent, waits[1])


def test_the_answer_says_who_speaks_when(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    lemonfox.says(
        {"id": 0, "start": 0.1, "end": 0.9, "text": " Hello.", "speaker": "SPEAKER_01"},
        {"id": 1, "start": 1.0, "end": 1.5, "text": " Hi.", "speaker": "SPEAKER_00"},
    )
    found = ask(sound, lemonfox, waits, language="english", min_speakers=1, max_speakers=9)
    assert found == [Segment(0.1, 0.9, "SPEAKER_01"), Segment(1.0, 1.5, "SPEAKER_00")]
    (request,) = lemonfox.requests
    assert request.path == "/v1/audio/transcriptions"
    assert request.key == KEY
    assert request.fields == {
        "response_format": "verbose_json",
        "speaker_labels": "true",
        "language": "english",
        "min_speakers": "1",
        "max_speakers": "4",
    }
    assert waits[0] == []


def test_it_gets_the_sound_alone_as_flac(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    lemonfox.says()
    ask(sound, lemonfox, waits)
    (request,) = lemonfox.requests
    assert (request.filename, request.kind) == ("audio.flac", "audio/flac")
    with av.open(io.BytesIO(request.content)) as container:
        assert not container.streams.video
        (stream,) = container.streams.audio
        assert (stream.rate, stream.layout.name) == (RATE, "mono")
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert np.array_equal(heard, sound.read())


def test_long_sound_goes_as_opus(sound: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "FLAC_SECONDS", 1)
    name, kind, content = engine.encoded(sound, lambda done: None)
    assert (name, kind) == ("audio.ogg", "audio/ogg")
    with av.open(content) as container:
        assert container.streams.audio[0].codec.name.endswith("opus")
        samples = sum(frame.samples for frame in container.decode(audio=0))
        assert samples / 48000 == pytest.approx(2.0, abs=0.05)


def test_sound_beyond_the_limit_is_not_sent(sound: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_BYTES", 1000)
    with pytest.raises(UnavailableError, match="too long"):
        engine.encoded(sound, lambda done: None)


def test_a_wrong_key_is_said_once_and_never_shown(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    wrong = "-".join(("wrong", "key"))  # a traceback shows the lines of this test
    with pytest.raises(UnavailableError, match="LEMONFOX_API_KEY") as raised:
        ask(sound, lemonfox, waits, Secrets(lemonfox_api_key=wrong))
    assert len(lemonfox.requests) == 1
    assert wrong not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("status", [400, 402, 403, 404, 413, 422])
def test_what_asking_again_does_not_mend_is_not_asked_again(
    sound: Sound, lemonfox: Lemonfox, waits: Waits, status: int
) -> None:
    lemonfox.answers = [Answer(status, b"no " + KEY.encode())]
    with pytest.raises(UnavailableError) as raised:
        ask(sound, lemonfox, waits)
    assert KEY not in str(raised.value)
    assert len(lemonfox.requests) == 1
    assert waits[0] == []


def test_a_file_too_large_for_the_server_is_said(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    lemonfox.most_bytes = 100
    with pytest.raises(UnavailableError, match="too large"):
        ask(sound, lemonfox, waits)


def test_a_busy_server_is_asked_again_after_the_wait_that_it_asks_for(
    sound: Sound, lemonfox: Lemonfox, waits: Waits
) -> None:
    lemonfox.says({"start": 0, "end": 1, "speaker": "A"})
    lemonfox.answers = [Answer(429, headers={"Retry-After": "7"}), Answer(503), *lemonfox.answers]
    assert ask(sound, lemonfox, waits) == [Segment(0.0, 1.0, "A")]
    first, second = waits[0]
    assert first == 7.0
    assert 1.0 <= second <= 2.0
    assert len({len(request.content) for request in lemonfox.requests}) == 1


def test_a_server_out_of_order_is_given_up_in_the_end(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    lemonfox.answers = [Answer(500)]
    with pytest.raises(UnavailableError, match="out of order"):
        ask(sound, lemonfox, waits, lemonfox_attempts=3)
    assert len(lemonfox.requests) == 3
    assert 0.5 <= waits[0][0] <= 1.0 <= waits[0][1] <= 2.0


def test_a_wait_of_hours_is_not_waited_for(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    lemonfox.answers = [Answer(429, headers={"Retry-After": "7200"})]
    with pytest.raises(UnavailableError, match="7200 s"):
        ask(sound, lemonfox, waits)
    assert waits[0] == []


def test_a_server_that_does_not_answer_is_given_up(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    hold = threading.Event()
    lemonfox.answers = [Answer(body=b'{"segments": []}', hold=hold)]
    try:
        with pytest.raises(UnavailableError, match="did not answer"):
            ask(sound, lemonfox, waits, lemonfox_timeout=0.2, lemonfox_attempts=2)
    finally:
        hold.set()
    assert len(lemonfox.requests) == 2


def test_a_server_that_is_not_there_is_said(sound: Sound, lemonfox: Lemonfox, waits: Waits) -> None:
    url = lemonfox.url
    lemonfox.server.server_close()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        engine.diarize(sound, AudioOptions(lemonfox_url=url, lemonfox_attempts=1), SECRETS, silent, waits[1])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"text": "hello"}', b'{"segments": 5}', b'{"segments": [', b"[" * 100_000],
)
def test_an_answer_that_is_none_is_refused(sound: Sound, lemonfox: Lemonfox, waits: Waits, body: bytes) -> None:
    lemonfox.answers = [Answer(body=body)]
    with pytest.raises(UnavailableError, match="not a transcription"):
        ask(sound, lemonfox, waits)


def test_a_huge_answer_is_not_read_to_its_end(
    sound: Sound, lemonfox: Lemonfox, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ANSWER_BYTES", 100_000)
    lemonfox.answers = [Answer(body=b" " * 5_000_000)]
    with pytest.raises(UnavailableError, match="too large"):
        ask(sound, lemonfox, waits)


def test_odd_segments_are_taken_as_far_as_they_make_sense() -> None:
    entries = [
        {"start": 0, "end": "2.5", "speaker": "A"},
        {"start": 1, "end": 2},
        {"start": 1, "end": 2, "speaker": ""},
        {"start": 1, "end": 2, "speaker": None},
        {"start": 3, "end": 4, "speaker": 1},
        {"end": 4, "speaker": "A"},
        {"start": "soon", "end": 4},
        {"start": -3, "end": 1e9, "speaker": "B"},
        "nothing",
    ]
    assert engine.segments_of(json.dumps({"segments": entries}).encode()) == [
        Segment(0.0, 2.5, "A"),
        Segment(1.0, 2.0, None),
        Segment(1.0, 2.0, None),
        Segment(1.0, 2.0, None),
        Segment(3.0, 4.0, "1"),
        Segment(-3.0, 1e9, "B"),
    ]


KEYS = st.sampled_from(["segments", "start", "end", "speaker"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=10,
)


@given(VALUES)
def test_any_json_gives_segments_or_a_refusal(answer: object) -> None:
    try:
        found = engine.segments_of(json.dumps(answer).encode())
    except UnavailableError:
        return
    assert all(isinstance(each, Segment) for each in found)


@pytest.mark.parametrize(
    ("secrets", "settings", "words"),
    [(Secrets(), {}, "LEMONFOX_API_KEY"), (SECRETS, {"num_speakers": 5}, "4 speakers"), (SECRETS, {}, None)],
)
def test_it_says_why_it_cannot_run(secrets: Secrets, settings: dict[str, int], words: str | None) -> None:
    missing = engine.unavailable(AudioOptions(**settings), secrets)  # type: ignore[arg-type]
    assert missing is None if words is None else words in (missing or "")


def places(secrets_url: str | None, **settings: object) -> str | None:
    options = AudioOptions(**settings)  # type: ignore[arg-type]
    secrets = Secrets(lemonfox_api_key=KEY, lemonfox_url=secrets_url)
    found = engine.address(options, secrets)
    assert (found is None) == (engine.unavailable(options, secrets) is not None)
    return found


def test_a_key_that_is_for_an_address_goes_to_no_other() -> None:
    studio, other = "https://studio.example/v1", "https://other.example/v1"
    assert places(studio) == studio
    assert places(studio, lemonfox_url=studio) == studio
    assert places(studio, lemonfox_url=other) is None
    assert places(studio, lemonfox_eu=True) is None
    assert places(LEMONFOX_URL, lemonfox_url=other) is None


def test_a_key_of_lemonfox_s_own_is_good_for_both_of_its_addresses() -> None:
    assert places(LEMONFOX_URL, lemonfox_eu=True) == LEMONFOX_EU_URL
    assert places(LEMONFOX_EU_URL) == LEMONFOX_EU_URL
    assert places(LEMONFOX_EU_URL, lemonfox_url=LEMONFOX_URL) == LEMONFOX_URL


def test_the_options_say_where_another_key_goes() -> None:
    assert places(None) == LEMONFOX_URL
    assert places(None, lemonfox_eu=True) == LEMONFOX_EU_URL
    assert places(None, lemonfox_url="https://studio.example/v1") == "https://studio.example/v1"
