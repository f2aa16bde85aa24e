"""Every image is built on a real engine, and its environment's engine works in it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from deployments.cli import images  # noqa: F401  # adds its commands
from deployments.cli.app import app
from deployments.environments import ENVIRONMENTS
from deployments.images import building, image_name, missing_images
from deployments.images.building import CODE_LABEL, Plan, build_image
from deployments.images.checking import check_image, packages
from deployments.images.context import LAYERS, contents, digest
from deployments.images.listing import images_here, layers_of
from lib.errors import InputError

from .conftest import BUILT

if TYPE_CHECKING:
    from docker import DockerClient

    from deployments.images.building import Built

MEGABYTES = {"base": 1400, "scenes": 1700, "audio": 2350, "tracking": 1400}
"""What an image may weigh on the test's base image, a tenth more than it did."""

Images = dict[str, "Built"]
every_environment = pytest.mark.parametrize(
    "key", [key if key in BUILT else pytest.param(key, marks=pytest.mark.long) for key in ENVIRONMENTS]
)


@every_environment
def test_the_engine_of_an_environment_works_in_its_image(
    docker_engine: "DockerClient", regie_images: Images, key: str
) -> None:
    trial = check_image(docker_engine, key, regie_images[key].name)
    assert trial.environment == key
    assert trial.version


@every_environment
def test_an_image_works_for_any_user_and_its_own_is_not_root(
    docker_engine: "DockerClient", regie_images: Images, key: str
) -> None:
    image = docker_engine.images.get(regie_images[key].name)
    assert image.attrs["Config"]["User"] not in {"", "root", "0"}
    script = (
        "import getpass, json, os, pathlib, prefect, lib.settings as s, subprocess;"
        "home = pathlib.Path.home(); (home / 'cache').mkdir();"
        "prefect = subprocess.run(['prefect', 'version'], capture_output=True).returncode;"
        "print(json.dumps([os.getuid(), getpass.getuser(), str(home), str(s.settings().home), prefect]))"
    )
    for user in ("", "54321:54321"):
        said = docker_engine.containers.run(
            image, ["python", "-c", script], user=user, network_mode="none", remove=True
        )
        uid, name, home, settings_home, prefect = json.loads(said)
        assert uid == (54321 if user else 10001)
        assert (name, home, settings_home, prefect) == ("regie", "/home/regie", "/home/regie/.regie", 0)


@every_environment
def test_nothing_in_an_image_can_be_written_but_the_home(
    docker_engine: "DockerClient", regie_images: Images, key: str
) -> None:
    find = ["sh", "-c", "find / -xdev -writable -type d -not -path '/proc/*' 2>/dev/null; true"]
    said = docker_engine.containers.run(regie_images[key].name, find, network_mode="none", remove=True).decode()
    assert set(said.split()) <= {"/home/regie", "/tmp", "/var/tmp", "/run/lock", "/dev/mqueue", "/dev/shm"}


def test_images_hold_the_code_of_here(docker_engine: "DockerClient", regie_images: Images) -> None:
    code = digest(contents())
    for key, built in regie_images.items():
        assert built.name == image_name(key)
        assert docker_engine.images.get(built.name).labels[CODE_LABEL] == code
    assert missing_images({key: image_name(key) for key in BUILT}) == {}
    assert missing_images({"base": "regie-base:there-is-none"}) == {"base": "regie-base:there-is-none"}


@every_environment
def test_an_image_holds_no_trace_of_how_it_was_installed(
    docker_engine: "DockerClient", regie_images: Images, key: str
) -> None:
    image = docker_engine.images.get(regie_images[key].name)
    history = " ".join(step["CreatedBy"] for step in image.history())
    assert "PIP_" not in history
    look = (
        "ls -d /build /opt/pip ~root/.cache; which gcc;"
        "find / -xdev -name '*.whl' -not -path '/usr/share/python-wheels/*'; true"
    )
    said = docker_engine.containers.run(image, ["sh", "-c", look], user="0:0", network_mode="none", remove=True)
    assert said == b""


@every_environment
def test_an_image_is_no_larger_than_it_was(docker_engine: "DockerClient", regie_images: Images, key: str) -> None:
    size = docker_engine.images.get(regie_images[key].name).attrs["Size"]
    assert size / 1e6 < MEGABYTES[key]


def test_images_share_what_they_have_in_common(docker_engine: "DockerClient", regie_images: Images) -> None:
    layers = {key: layers_of(docker_engine.images.get(built.name)) for key, built in regie_images.items()}
    common = set.intersection(*(set(each) for each in layers.values()))
    assert sum(layers["base"][layer] for layer in common) > 500e6
    listed = {each.environment: each for each in images_here(docker_engine) if each.current}
    assert set(listed) == set(BUILT)
    for key, each in layers.items():
        assert sum(each.values()) == pytest.approx(listed[key].size, rel=0.01)


@pytest.mark.long
def test_images_with_torch_share_it(docker_engine: "DockerClient", regie_images: Images) -> None:
    layers = {key: set(layers_of(docker_engine.images.get(built.name))) for key, built in regie_images.items()}
    assert layers["scenes"] & layers["audio"] > set.intersection(*layers.values())
    [scenes] = [each for each in images_here(docker_engine) if each.current and each.environment == "scenes"]
    assert scenes.unique < 50e6 < scenes.size
    assert b"torch==" in packages(docker_engine, regie_images["audio"].name, "scenes")


def test_the_second_build_does_nothing_again(
    docker_engine: "DockerClient", regie_images: Images, build_plan: Plan
) -> None:
    for key, before in regie_images.items():
        again = build_image(docker_engine, key, build_plan)
        assert again.id == before.id
        dockerfile = contents()[f"images/{key}/Dockerfile"].decode()
        # Each FROM, and the ARG before the first, are no work.
        assert again.steps - again.cached == dockerfile.count("\nFROM ") + 1


def test_other_code_costs_no_package(
    docker_engine: "DockerClient", regie_images: Images, build_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = building.context.contents()
    changed = {**files, "source/lib/words.py": files["source/lib/words.py"] + b"\nNEW = True\n"}
    monkeypatch.setattr(building.context, "contents", lambda _engine=None: changed)
    said: list[str] = []
    other = build_image(docker_engine, "tracking", replace(build_plan, tag="test-of-other-code"), said.append)
    try:
        assert not [line for line in said if "requirements" in line]
        script = ["python", "-c", "import lib.words; print(lib.words.NEW)"]
        assert docker_engine.containers.run(other.name, script, network_mode="none", remove=True) == b"True\n"
    finally:
        docker_engine.images.remove(other.name)


def test_packages_can_be_had_again_as_they_are(docker_engine: "DockerClient", regie_images: Images) -> None:
    common = packages(docker_engine, regie_images["tracking"].name, "common")
    assert b"prefect==" in common
    assert common == packages(docker_engine, regie_images["base"].name, "common")


def test_a_base_image_that_cannot_be_had_is_named(docker_engine: "DockerClient") -> None:
    with pytest.raises(InputError, match="The base image cannot be had"):
        build_image(docker_engine, "base", Plan("127.0.0.1:9/there-is-none:0"))


def test_a_package_that_cannot_be_had_is_named(
    docker_engine: "DockerClient", build_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**building.context.contents(), "requirements/build.txt": b"regie-has-no-such-package==1\n"}
    monkeypatch.setattr(building.context, "contents", lambda _engine=None: files)
    with pytest.raises(InputError, match="regie-has-no-such-package") as raised:
        build_image(docker_engine, "base", build_plan)
    assert "--wheels" in str(raised.value)


def test_an_image_that_is_not_there_says_how_it_is_built(docker_engine: "DockerClient") -> None:
    with pytest.raises(InputError, match="regie images build"):
        check_image(docker_engine, "base", "regie-base:there-is-none")


def test_the_commands_check_and_list(regie_images: Images) -> None:
    regie = CliRunner()
    checked = regie.invoke(app, ["images", "check", "base", "--json"])
    assert json.loads(checked.stdout)[0]["environment"] == "base"
    listed = json.loads(regie.invoke(app, ["images", "list", "--json"]).stdout)
    assert {each["name"] for each in listed if each["current"]} == {built.name for built in regie_images.values()}


@pytest.mark.long
def test_what_is_in_the_images_can_be_frozen(regie_images: Images, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["images", "freeze", str(tmp_path)]).exit_code == 0
    assert "mediapipe==0.10.21\n" in (tmp_path / "tracking.txt").read_text()
    assert {path.stem for path in tmp_path.iterdir()} == set(LAYERS)
