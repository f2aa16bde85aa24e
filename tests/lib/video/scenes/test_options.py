import pytest
from pydantic import ValidationError

from lib.video.provenance import relevant
from lib.video.scenes.options import SceneOptions


def test_the_defaults_are_those_of_the_published_model():
    assert relevant(SceneOptions()) == {
        "profile": "exact",
        "threshold": 0.5,
        "gradual_frames": 2,
        "window": 100,
        "stride": 50,
        "padding": 25,
    }


def test_the_fast_profile_fills_in_what_was_not_set():
    assert (SceneOptions(profile="fast").window, SceneOptions(profile="fast").stride) == (200, 150)
    assert SceneOptions(profile="fast", stride=100).stride == 100


def test_options_survive_being_written_and_read():
    for options in (SceneOptions(), SceneOptions(profile="fast", threshold=0.3)):
        assert SceneOptions.model_validate_json(options.model_dump_json()) == options


@pytest.mark.parametrize("wrong", [{"window": 74}, {"threshold": 1}, {"stride": 0}, {"device": "gpu"}, {"speed": 2}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ValidationError):
        SceneOptions(**wrong)
