"""A source or an output folder whose path is not UTF-8 ended in a traceback, after a server had been started for it."""

import os
from pathlib import Path

import pytest
import typer

from deployments.cli.run_video import carry_out_video
from lib.settings import Settings


@pytest.mark.parametrize("which", ["source", "out"])
def test_a_path_that_is_not_utf_8_is_refused_in_words(tmp_path: Path, which: str) -> None:
    paths = {"source": tmp_path / "source", "out": tmp_path / "out"}
    paths[which] = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        paths["source"].mkdir()
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    home = tmp_path / "home"
    with pytest.raises(typer.BadParameter, match=r"caf\\xe9 is not UTF-8: rename it"):
        carry_out_video(paths["source"], paths["out"], Settings(home=home))
    assert not home.exists(), "nothing was started"
