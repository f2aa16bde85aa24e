"""The key for Lemonfox is tried against a server on this machine that behaves like Lemonfox's."""

import io
import wave
from collections.abc import Iterator

import pytest

from blocks.lemonfox import Lemonfox
from lib.errors import UnavailableError
from lib.video.audio.options import LEMONFOX_EU_URL, LEMONFOX_URL

from ..lib.video.audio.engines.conftest import KEY, Answer
from ..lib.video.audio.engines.conftest import Lemonfox as Server


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    server.says()
    yield server
    server.close()


def test_a_good_key_has_a_second_of_silence_transcribed(server: Server) -> None:
    assert Lemonfox(api_key=KEY, url=server.url).check() == f"{server.url} accepts the key and transcribes"
    (request,) = server.requests
    with wave.open(io.BytesIO(request.content)) as sound:
        assert sound.getnframes() == sound.getframerate()
        assert not any(sound.readframes(sound.getnframes()))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(402), "asks for payment"),
        (Answer(404), "Nothing answers at this address"),
        (Answer(503), "out of order"),
        (Answer(429), "busy"),
        (Answer(200, b"<html>"), "not a transcription"),
        (Answer(307, headers={"Location": "http://localhost:9/"}), "sends on to another one"),
    ],
)
def test_what_is_wrong_is_said(server: Server, answer: Answer, words: str) -> None:
    server.answers = [answer]
    with pytest.raises(UnavailableError, match=words):
        Lemonfox(api_key=KEY, url=server.url).check()
    assert len(server.requests) == 1


def test_a_key_that_is_not_accepted_is_not_repeated(server: Server) -> None:
    with pytest.raises(UnavailableError, match="does not accept the key") as wrong:
        Lemonfox(api_key="lf-canary", url=server.url).check()
    assert "canary" not in str(wrong.value)


def test_the_environment_s_key_is_for_the_address_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    block = Lemonfox.from_environment({"LEMONFOX_API_KEY": KEY})
    assert block is not None
    assert (block.api_key.get_secret_value(), block.url) == (KEY, LEMONFOX_URL)
    assert LEMONFOX_EU_URL != LEMONFOX_URL
    assert Lemonfox.from_environment({}) is None
