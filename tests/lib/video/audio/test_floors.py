"""The accuracy of the embedded engine on real annotated speech, which must not get worse."""

import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

from lib.files import sha256
from lib.progress import silent
from lib.video.audio.engines import embedded
from lib.video.audio.options import AudioOptions, Secrets
from lib.video.audio.scoring import error_rate, read_rttm
from lib.video.audio.segments import smooth
from lib.video.audio.sound import Sound

from .conftest import in_package

FLOORS = tomllib.loads((Path(__file__).resolve().parents[4] / "benchmarks" / "floors.toml").read_text())["audio"]

missing = embedded.unavailable(AudioOptions(), Secrets())
pytestmark = pytest.mark.skipif(missing is not None, reason=f"the embedded engine cannot run here: {missing}")


def recording(name: str, request: pytest.FixtureRequest) -> tuple[Path, Path, str]:
    """Return sound, reference and name of a recording in it."""
    if name == "conversation":
        sound = in_package("pyannote-audio", "sample/sample.wav")
        if sound is None:
            pytest.skip("pyannote.audio, which has the conversation, is not installed here")
        return sound, sound.with_suffix(".rttm"), "sample"
    folder = request.getfixturevalue("testdata") / "audio"
    return folder / f"{name}.wav", folder / "ami-debug.development.rttm", name.removeprefix("ami-")


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_the_error_rate_stays_under_its_limit(name: str, request: pytest.FixtureRequest) -> None:
    floor = FLOORS[name]
    path, reference, uri = recording(name, request)
    assert sha256(path) == floor["sha256"], "this is not the recording that the limit was measured on"
    assert sha256(reference) == floor["reference_sha256"]
    options = AudioOptions()
    found = embedded.diarize(Sound(path, Fraction(0), Fraction(30)), options, Secrets(), silent)
    found = smooth(found, options.gap_fill, options.min_on, options.min_off)
    assert len({each.speaker for each in found}) == floor["speakers"]
    assert error_rate(read_rttm(reference, uri), found, 30.0).rate <= floor["error_rate"]
