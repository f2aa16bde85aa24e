import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deployments import environments
from deployments.environments import ENVIRONMENTS, Environment, environment, folder, is_ready, python, sync
from lib.errors import InputError
from lib.runs.plan import environments_of
from lib.workflows import workflows

ROOT = Path(__file__).resolve().parents[2]

BACKEND = '''
import zipfile
from pathlib import Path

NAME = "toy-1.0-py3-none-any.whl"
METADATA = """Metadata-Version: 2.1
Name: toy
Version: 1.0
Provides-Extra: light
Provides-Extra: heavy
Provides-Extra: impossible
Requires-Dist: nobody-has-made-this-package; extra == "impossible"
"""

def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(Path(folder) / NAME, "w") as wheel:
        wheel.writestr("toy.pth", str(Path.cwd()))
        wheel.writestr("toy-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("toy-1.0.dist-info/RECORD", "")
    return NAME
'''
PROJECT_FILE = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that builds itself, so that pip needs no network; its folder has a space and brackets in its name."""
    made = tmp_path / "a project [1]"
    made.mkdir()
    (made / "backend.py").write_text(BACKEND)
    (made / "pyproject.toml").write_text(PROJECT_FILE)
    (made / "toy_module.py").write_text("")
    table = {
        "shared": Environment("shared", "one", ("light",), {"extra": ("two", ("light", "heavy"))}),
        "sharing": Environment("sharing", "one", ("light",), {}),
    }
    monkeypatch.setattr(environments, "PROJECT", made)
    monkeypatch.setattr(sys.modules[environment.__module__], "ENVIRONMENTS", table)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return made


def test_every_environment_that_a_phase_needs_is_in_the_table_and_its_extras_in_the_project() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for key in environments_of(workflows().values()):
        chosen = environment(key)
        offered = [chosen.extras, *(extras_of for _, extras_of in chosen.engines.values())]
        assert set().union(*offered) <= set(extras)


def test_environments_that_share_a_virtual_environment_install_the_same() -> None:
    shared: dict[str, set[tuple[str, ...]]] = {}
    for each in ENVIRONMENTS.values():
        shared.setdefault(each.venv, set()).add(each.extras)
    assert all(len(extras) == 1 for extras in shared.values())


def test_an_unknown_environment_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    for call in (environment, lambda key: folder(key, tmp_path), lambda key: sync(key, tmp_path)):
        with pytest.raises(InputError, match="no environment 'kitchen': there are base, scenes, audio, tracking"):
            call("kitchen")


def test_the_base_is_the_environment_that_the_command_runs_in(tmp_path: Path) -> None:
    assert python("base", tmp_path).samefile(sys.executable)


def test_seen_from_another_environment_the_base_holds_the_folder_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / ".venv" / "envs"
    monkeypatch.setattr(sys, "prefix", str(root / "tracking"))
    assert folder("base", root) == tmp_path / ".venv"
    assert folder("tracking", root) == root / "tracking"


def test_an_engine_that_was_added_takes_its_environment_over(tmp_path: Path) -> None:
    assert folder("audio", tmp_path) == tmp_path / "torch"
    (tmp_path / "audio").mkdir()
    assert folder("audio", tmp_path) == tmp_path / "torch", "its installation did not come to its end"
    (tmp_path / "audio" / ".regie-synced").touch()
    assert folder("audio", tmp_path) == tmp_path / "audio"
    assert folder("scenes", tmp_path) == tmp_path / "torch"


@pytest.mark.parametrize(("key", "offered"), [("scenes", "none"), ("audio", "pyannote")])
def test_an_engine_that_is_not_offered_is_refused(tmp_path: Path, key: str, offered: str) -> None:
    with pytest.raises(InputError, match=f"{key} has no engine 'steam' to add; it offers: {offered}"):
        sync(key, tmp_path, engine="steam")


def test_an_environment_is_made_once_brought_up_to_date_and_keeps_what_was_added(project: Path, tmp_path: Path) -> None:
    root, said = tmp_path / "some envs", list[str]()
    target = sync("shared", root, extras=["heavy"], say=said.append)
    assert target == root / "one"
    assert is_ready(target)
    import_it = [str(python("shared", root)), "-c", "import toy_module; print(toy_module.__file__)"]
    done = subprocess.run(import_it, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(project / "toy_module.py")
    assert said == ["one: installing light, heavy", "one: ready"]

    said.clear()
    sync("shared", root, say=said.append)
    sync("sharing", root, say=said.append)
    assert said == ["one: up to date"] * 2, "what was added before is still wanted"

    said.clear()
    (project / "pyproject.toml").write_text(PROJECT_FILE + "# changed\n")
    sync("shared", root, say=said.append)
    assert said == ["one: installing light, heavy", "one: ready"]

    with pytest.raises(InputError, match="nobody-has-made-this-package"):
        sync("shared", root, extras=["impossible"])
    assert not is_ready(target), "nothing says that it is complete"
    said.clear()
    sync("shared", root, say=said.append)
    assert said[-1] == "one: ready", "the next one mends it"


def test_a_virtual_environment_that_cannot_be_made_is_said(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"(?s)-m venv.*failed"):
        sync("shared", tmp_path / "file")
