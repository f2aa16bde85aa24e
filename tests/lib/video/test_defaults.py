from pathlib import Path

from lib.settings import Settings
from lib.video.defaults import parameters
from lib.video.options import VideoOptions


def test_a_run_that_is_told_nothing_goes_from_the_inbox_to_the_workspace_of_the_home(tmp_path: Path) -> None:
    assert parameters(Settings(home=tmp_path)) == {
        "source": f"{tmp_path}/inbox",
        "out": f"{tmp_path}/video",
        "options": {},
    }


def test_both_can_be_folders_or_addresses_elsewhere(tmp_path: Path) -> None:
    given = parameters(Settings(home=tmp_path, inbox="~/rushes", workspace="s3://studio/video"))
    assert given["source"] == str(Path("~/rushes").expanduser())
    assert given["out"] == "s3://studio/video"


def test_of_the_options_those_are_handed_on_that_the_settings_change(tmp_path: Path) -> None:
    config = Settings.model_validate({"home": tmp_path, "video": {"scenes": {"threshold": 0.4}}})
    assert parameters(config)["options"] == {"scenes": {"threshold": 0.4}}
    assert VideoOptions.model_validate(parameters(config)["options"]) == config.video
