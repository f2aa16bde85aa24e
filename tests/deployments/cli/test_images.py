import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deployments.cli import images  # noqa: F401  # adds its commands
from deployments.cli.app import USAGE, app
from lib.errors import UnavailableError


@pytest.fixture
def regie() -> CliRunner:
    return CliRunner()


@pytest.mark.parametrize("command", [["build"], ["check"], ["list"], ["freeze", "folder"]])
def test_without_an_engine_it_says_so(
    regie: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    result = regie.invoke(app, ["images", *command])
    assert isinstance(result.exception, UnavailableError)
    assert "No Docker engine answers" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "sences"], "sences"),
        (["check", "sences"], "sences"),
        (["build", "audio", "scenes", "--engine", "pyannote"], "--engine"),
        (["build", "audio", "--engine", "pyannote"], "--tag"),
        (["build", "--wheels", "/there/is/no/such/folder"], "--wheels"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(regie: CliRunner, arguments: list[str], words: str) -> None:
    result = regie.invoke(app, ["images", *arguments])
    assert result.exit_code == USAGE
    assert words in result.output


def test_a_context_can_be_handed_to_another_builder(regie: CliRunner, tmp_path: Path) -> None:
    assert regie.invoke(app, ["images", "context", str(tmp_path / "context.tar")]).exit_code == 0
    with tarfile.open(tmp_path / "context.tar") as archive:
        names = set(archive.getnames())
    assert {"images/scenes/Dockerfile", "requirements/scenes.txt", "constraints/scenes.txt", "wheels"} <= names
