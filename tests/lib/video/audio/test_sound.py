from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lib.video.audio.sound import RATE, Sound

from .conftest import Make, loud, sound_of, tone


def spoken(sound: Sound) -> tuple[float, float]:
    """Return the seconds of the first and last sound."""
    at = np.flatnonzero(loud(sound.read()))
    return at[0] / 100, (at[-1] + 1) / 100


@pytest.mark.parametrize(
    ("codec", "name", "settings"),
    [
        ("pcm_s16le", "a.mkv", {}),
        ("flac", "a.mkv", {"sound_rate": 48000}),
        ("aac", "a.mp4", {"sound_rate": 44100, "fmt": "s16"}),
        ("mp2", "a.ts", {"sound_rate": 32000}),
        ("pcm_u8", "a.avi", {"sound_rate": 8000}),
    ],
)
def test_the_sound_is_as_long_as_the_picture_whatever_its_coding(
    make: Make, codec: str, name: str, settings: dict[str, object]
) -> None:
    rate = int(settings.get("sound_rate", RATE))  # type: ignore[call-overload]
    made = tone(2.0, rate=rate)
    if codec == "pcm_u8":
        settings = settings | {"codec": codec, "fmt": "u8"}
        made = (made // 256 + 128).astype(np.uint8)
    video = make(made, name, **({"codec": codec} | settings))
    sound = sound_of(video)
    samples = sound.read()
    assert samples.dtype == np.int16
    assert len(samples) == sound.samples == pytest.approx(2 * RATE, abs=RATE // 25)
    assert loud(samples).mean() > 0.95
    spectrum = np.abs(np.fft.rfft(samples[RATE // 2 : RATE]))
    assert np.argmax(spectrum) * RATE / (RATE // 2) == pytest.approx(440, abs=4)


def test_blocks_joined_are_the_whole(make: Make) -> None:
    sound = sound_of(make(tone(2.0), frames=62))
    blocks = list(sound.blocks())
    assert [len(each) for each in blocks] == [RATE, RATE, round(0.48 * RATE)]
    assert np.array_equal(np.concatenate(blocks), sound.read())


@pytest.mark.parametrize("offset", [0.5, 1.25])
def test_sound_that_begins_later_than_the_picture_is_heard_later(make: Make, offset: float) -> None:
    first, last = spoken(sound_of(make(tone(0.5), offset=offset)))
    assert first == pytest.approx(offset, abs=0.02)
    assert last == pytest.approx(offset + 0.5, abs=0.02)


def test_sound_before_the_first_picture_is_left_out(make: Make) -> None:
    made = np.concatenate([tone(1.0), np.zeros(RATE, np.int16)])
    video = make(made, "late.mkv")
    sound = Sound(video, Fraction(1, 2), Fraction(1))
    first, last = spoken(sound)
    assert (first, last) == (pytest.approx(0.0, abs=0.02), pytest.approx(0.5, abs=0.02))


def test_a_gap_in_the_timestamps_is_silence(make: Make) -> None:
    video = make(tone(1.0), frames=75, gaps={5: 1.0})
    heard = loud(sound_of(video).read())
    gap = 5 * 1024 / RATE
    assert heard[: int(gap * 100) - 1].all()
    assert not heard[int(gap * 100) + 3 : int((gap + 1) * 100) - 3].any()
    assert heard[int((gap + 1) * 100) + 3 : 198].all()


def test_a_timestamp_far_in_the_future_costs_nothing(make: Make) -> None:
    sound = sound_of(make(tone(1.0), gaps={5: 1000.0}))
    sound = Sound(sound.path, Fraction(0), Fraction(2))
    assert len(sound.read()) == 2 * RATE


class _Frames(Sound):
    """Sound whose frames are given: no muxer writes timestamps that go back, but damaged files have them."""

    given: tuple[tuple[int, np.ndarray], ...] = ()

    def _frames(self) -> Iterator[av.AudioFrame]:
        for position, samples in self.given:
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, position, Fraction(1, RATE)
            yield frame


def test_timestamps_that_go_back_do_not_shift_what_follows() -> None:
    silence = np.zeros(RATE, np.int16)
    sound = _Frames(Path("unused"), Fraction(0), Fraction(3))
    object.__setattr__(sound, "given", ((0, silence), (RATE // 2, silence), (RATE * 3 // 2, tone(0.5))))
    first, last = spoken(sound)
    assert (first, last) == (pytest.approx(1.5, abs=0.02), pytest.approx(2.0, abs=0.02))


def test_a_stream_that_changes_its_format_on_the_way_is_followed() -> None:
    class Changing(_Frames):
        def _frames(self) -> Iterator[av.AudioFrame]:
            for second, rate in enumerate((RATE, 48000, 8000)):
                frame = av.AudioFrame.from_ndarray(tone(1.0, rate=rate)[None], format="s16", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = rate, second, Fraction(1)
                yield frame

    samples = Changing(Path("unused"), Fraction(0), Fraction(3)).read()
    assert loud(samples).mean() > 0.98
    for second in range(3):
        spectrum = np.abs(np.fft.rfft(samples[second * RATE + 2000 : second * RATE + 10000]))
        assert np.argmax(spectrum) * 2 == pytest.approx(440, abs=4)


def test_sound_shorter_than_the_picture_is_followed_by_silence_and_longer_is_cut(make: Make) -> None:
    short = sound_of(make(tone(0.5), "short.mkv"))
    assert len(short.read()) == 2 * RATE
    assert spoken(short)[1] == pytest.approx(0.5, abs=0.02)
    long = sound_of(make(tone(5.0), "long.mkv"))
    assert len(long.read()) == 2 * RATE
    assert spoken(long) == (0.0, 2.0)


@pytest.mark.parametrize("layout", ["stereo", "5.1", "7.1", "octagonal", "hexadecagonal", "22.2"])
def test_any_layout_is_mixed_down(make: Make, layout: str) -> None:
    channels = av.AudioLayout(layout).nb_channels
    sound = sound_of(make(np.tile(tone(1.0), (channels, 1)), layout=layout, frames=25))
    samples = sound.read()
    assert loud(samples).all()
    assert np.abs(samples.astype(int)).max() < 32767


def test_damaged_packets_leave_silence_and_the_rest_in_its_place(make: Make) -> None:
    made = np.concatenate([tone(1.0), np.zeros(RATE, np.int16), tone(1.0, 880)])
    video = make(made, "broken.mkv", codec="flac", frames=75)
    content = bytearray(video.read_bytes())
    middle = len(content) // 6
    for at in range(middle, middle + 600, 7):
        content[at] ^= 0xFF
    video.write_bytes(content)
    heard = loud(sound_of(video).read())
    assert len(heard) == 300
    assert heard[:8].all()
    assert not heard[110:195].any()
    assert heard[205:295].mean() > 0.9


def test_a_file_that_is_cut_off_gives_what_there_is(make: Make) -> None:
    video = make(tone(2.0), "cut.mkv")
    whole = sound_of(video)
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 2 // 3])
    samples = whole.read()
    assert len(samples) == 2 * RATE
    assert loud(samples)[:50].all()


def test_a_video_without_sound_is_silence(make: Make) -> None:
    sound = sound_of(make(None))
    assert not sound.read().any()
    assert sum(map(len, sound.blocks())) == 2 * RATE


def test_names_of_any_kind_are_read(make: Make, tmp_path: Path) -> None:
    video = make(tone(0.5), "plain.mkv")
    strange = video.rename(tmp_path / 'it\'s "here" \n🎬:x.mkv')
    assert loud(sound_of(strange).read())[:49].all()
