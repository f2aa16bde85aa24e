import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.environments import ENVIRONMENTS, PROJECT
from deployments.images import context
from lib.errors import InputError

DOCKERFILES = {key: (context.IMAGES / key / "Dockerfile").read_text() for key in ENVIRONMENTS}


def test_a_context_holds_the_code_that_the_package_installs_and_nothing_else() -> None:
    sources = {path.removeprefix("source/") for path in context.contents() if path.startswith("source/")}
    assert {"flows/__init__.py", "lib/settings.py", "deployments/cli/main.py", "pyproject.toml"} <= sources
    assert any(path.startswith("lib/console/templates/") for path in sources)
    assert {path.partition("/")[0] for path in sources} <= {
        *("blocks", "deployments", "flows", "lib", "regie", "tasks"),
        *("LICENSE", "README.md", "pyproject.toml"),
    }


def test_what_lies_about_in_a_folder_of_code_is_not_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path, text in {
        "pyproject.toml": (PROJECT / "pyproject.toml").read_text(),
        "LICENSE": "MIT",
        "lib/__init__.py": "",
        "lib/.env": "TOKEN=secret",
        "lib/key.pem": "secret",
        "lib/__pycache__/old.cpython-311.pyc": "",
        "lib/page.html": "<p>",
        "tests/test_one.py": "",
        "notebook/__init__.py": "",
        ".git/config": "url = https://user:secret@example.com",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(context, "PROJECT", tmp_path)
    sources = {path for path in context.contents() if path.startswith("source/")}
    monkeypatch.undo()
    assert sources == {
        *("source/LICENSE", "source/README.md", "source/lib/__init__.py", "source/lib/page.html"),
        "source/pyproject.toml",
    }


def test_without_the_source_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(context, "PROJECT", tmp_path)
    with pytest.raises(InputError, match="clone the repository"):
        context.contents()


def test_each_layer_asks_for_what_its_extra_names() -> None:
    project = context.project()
    wanted = context.requirements(project)
    assert wanted["common"] == project["project"]["dependencies"]
    assert wanted["scenes"] == project["project"]["optional-dependencies"]["scenes"]
    assert set(wanted) == {"build", *context.LAYERS}


def test_an_added_engine_has_a_layer_with_all_that_it_needs_for_itself() -> None:
    project = context.project()
    extras = project["project"]["optional-dependencies"]
    wanted = context.requirements(project, "pyannote")
    assert wanted["audio"] == [*extras["audio"], *extras["pyannote"]]
    assert wanted["scenes"] == []


def test_another_file_another_digest() -> None:
    files = {"a": b"1", "b": b"2"}
    assert context.digest(files) == context.digest(dict(reversed(files.items())))
    assert context.digest(files) != context.digest({"a": b"12", "b": b""})
    assert context.digest(files) != context.digest({"a": b"1", "c": b"2"})


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True), st.binary(max_size=50), max_size=5))
def test_a_context_is_the_same_archive_whenever_it_is_made(files: dict[str, bytes]) -> None:
    once, again = io.BytesIO(), io.BytesIO()
    context.write(once, files, None, None)
    context.write(again, dict(reversed(files.items())), None, None)
    assert once.getvalue() == again.getvalue()
    once.seek(0)
    with tarfile.open(fileobj=once) as archive:
        for name, content in files.items():
            file = archive.extractfile(name)
            assert file is not None
            assert file.read() == content


def test_wheels_and_constraints_come_along(tmp_path: Path) -> None:
    (tmp_path / "one-1.0-py3-none-any.whl").write_bytes(b"wheel")
    (tmp_path / "notes.txt").write_text("no wheel")
    (tmp_path / "scenes.txt").write_text("one==1.0\n")
    target = io.BytesIO()
    context.write(target, {}, tmp_path, tmp_path)
    target.seek(0)
    with tarfile.open(fileobj=target) as archive:
        names = set(archive.getnames())
        scenes = archive.extractfile("constraints/scenes.txt")
        assert scenes is not None
        assert scenes.read() == b"one==1.0\n"
    assert {name for name in names if name.startswith("wheels")} == {"wheels", "wheels/one-1.0-py3-none-any.whl"}
    assert {f"constraints/{layer}.txt" for layer in context.LAYERS} <= names


def test_the_dockerfiles_begin_with_the_same_steps_so_that_images_share_layers() -> None:
    assert len({_steps(_between(text, "", "\n# What this environment adds.")) for text in DOCKERFILES.values()}) == 1
    assert len({_steps(_between(text, "\nFROM ${BASE_IMAGE}\n", "COPY --from=")) for text in DOCKERFILES.values()}) == 1


def test_audio_lies_on_the_very_layer_of_scenes() -> None:
    own = {
        key: _steps(_between(text, "\n# What this environment adds.", "\nFROM ${BASE_IMAGE}\n"))
        for key, text in DOCKERFILES.items()
    }
    assert own["audio"].startswith(own["scenes"])


def test_no_dockerfile_names_a_package_of_its_own() -> None:
    """What is installed is asked for in pyproject.toml; OpenCV without windows takes the place of the one with them."""
    for text in DOCKERFILES.values():
        joined = [step for step in text.replace("\\\n", "").splitlines() if "$PIP install" in step]
        assert all(" /build/" in line or "opencv-contrib-python-headless" in line for line in joined)


def _between(text: str, start: str, end: str) -> str:
    return (text.partition(start)[2] if start else text).partition(end)[0]


def _steps(text: str) -> str:
    """Return a part of a Dockerfile without its comments."""
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))
