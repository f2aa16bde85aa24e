"""compose.yaml, read as strictly as `docker compose` would read it, and as what it is for asks."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from regie_toy_cluster import COMPOSE, VARIABLE, services

from deployments.environments import ENVIRONMENTS, PROJECT
from lib.settings import Settings

EXAMPLE = COMPOSE.with_name("compose.env")
GIVEN = {
    "POSTGRES_PASSWORD": "db-secret",
    "PREFECT_AUTH": "regie:api-secret",
    "REGIE_CONSOLE_TOKEN": "console-secret-of-many-letters",
    "REGIE_TAG": "0.1.0-test",
    "REGIE_USER": "1000:1000",
    "REGIE_SHARED": "/srv/shared",
}
"""What has to be given: there is no default that would be right anywhere."""
KEYS = {
    *("image", "command", "environment", "depends_on", "networks", "ports", "volumes", "healthcheck", "user", "init"),
    *("restart", "cap_add", "cap_drop", "security_opt", "logging", "stop_grace_period"),
}
OWN = ("base", "scenes", "audio", "tracking", "console", "deploy", "api", "services")


class Strict(yaml.SafeLoader):
    """Refuses a key that is given twice, of which the last would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _value in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), f"twice in line {node.start_mark.line + 1}: {keys}"
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


@pytest.fixture
def found() -> dict[str, Any]:
    return services(GIVEN)


def test_the_file_says_nothing_twice_and_nothing_unknown() -> None:
    said = yaml.load(COMPOSE.read_text(), Strict)
    assert {key for key in said if not key.startswith("x-")} == {"name", "services", "networks", "volumes"}
    for name, service in said["services"].items():
        assert service.keys() <= KEYS, name
        assert set(service["networks"]) <= said["networks"].keys()
        for volume in service.get("volumes", ()):
            assert isinstance(volume, dict) or volume.partition(":")[0] in said["volumes"]
        for needed, how in service.get("depends_on", {}).items():
            needs = said["services"][needed]
            assert how["condition"] in {"service_healthy", "service_completed_successfully"}
            assert how["condition"] != "service_healthy" or "healthcheck" in needs, f"{name} would wait for {needed}"


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_what_is_missing_is_said(name: str) -> None:
    with pytest.raises(LookupError, match=rf"^{name}: \w.* \w"):
        services({key: value for key, value in GIVEN.items() if key != name})


def test_the_example_names_what_has_to_be_given_and_gives_no_secret() -> None:
    lines = [line.partition("=") for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    assert {name: value for name, _, value in lines} == dict.fromkeys(GIVEN, "")
    optional = set(re.findall(r"^#([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert optional <= {match["name"] for match in VARIABLE.finditer(COMPOSE.read_text())}


def test_there_is_no_secret_in_the_file() -> None:
    for line in COMPOSE.read_text().splitlines():
        if re.search(r"PASSWORD|AUTH|TOKEN|SECRET", line) and ":" in line:
            assert "${" in line, line


def test_only_the_console_is_reached_from_outside_unless_it_is_asked_for(found: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in found.items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:4200:4200"], "console": ["0.0.0.0:8321:8321"]}
    assert found["console"]["environment"]["REGIE_CONSOLE_TOKEN"] == GIVEN["REGIE_CONSOLE_TOKEN"]
    assert found["api"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == GIVEN["PREFECT_AUTH"]
    said = yaml.safe_load(COMPOSE.read_text())
    assert said["networks"]["back"] == {"internal": True}
    assert {name for name, service in found.items() if "front" in service["networks"]}.isdisjoint({"postgres", "redis"})


def test_everything_is_started_again_with_no_more_rights_than_it_needs(found: dict[str, Any]) -> None:
    for name, service in found.items():
        assert service["restart"] == ("on-failure" if name == "deploy" else "unless-stopped")
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert ":latest" not in service["image"]
        assert re.search(r":[\w.-]+$", service["image"]), "a tag"
    workers = [*ENVIRONMENTS, "deploy", "console"]
    assert {found[name]["user"] for name in workers} == {GIVEN["REGIE_USER"]}
    assert all(found[name]["volumes"][0]["target"] == GIVEN["REGIE_SHARED"] for name in workers)


def test_each_environment_has_workers_in_its_image(found: dict[str, Any]) -> None:
    for key in ENVIRONMENTS:
        assert found[key]["image"] == f"regie-{key}:{GIVEN['REGIE_TAG']}"
        assert found[key]["command"] == ["python3", "-m", "deployments.machine", key]


def test_every_variable_of_regie_is_a_setting_and_every_program_is_there(found: dict[str, Any]) -> None:
    for name in OWN:
        for variable in found[name]["environment"]:
            if variable.startswith("REGIE_"):
                group, _, within = variable.removeprefix("REGIE_").lower().partition("__")
                assert group in Settings.model_fields, variable
                assert not within or within in getattr(Settings(), group).__class__.model_fields, variable
        program, *rest = found[name]["command"]
        if program == "python3":
            assert (PROJECT / f"{rest[1].replace('.', '/')}.py").exists() or (
                PROJECT / rest[1].replace(".", "/") / "__main__.py"
            ).exists()
        else:
            assert program in {"prefect", "regie"}


def test_prefect_knows_every_variable_that_it_is_given(found: dict[str, Any]) -> None:
    from prefect.settings import Settings as PrefectSettings
    from prefect.settings.legacy import _get_settings_fields
    from prefect_redis.client import RedisMessagingSettings

    known = set(_get_settings_fields(PrefectSettings))
    known |= {f"PREFECT_REDIS_MESSAGING_{field.upper()}" for field in RedisMessagingSettings.model_fields}
    for name in OWN:
        given = {variable for variable in found[name]["environment"] if variable.startswith("PREFECT_")}
        assert given <= known, given - known


def test_docker_compose_reads_it_where_it_is_there(tmp_path: Path) -> None:
    import subprocess

    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode
    ):
        pytest.skip("docker compose is not installed")
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in GIVEN.items()))
    command = ["docker", "compose", "-f", str(COMPOSE), "--env-file", str(tmp_path / "env"), "config", "--quiet"]
    subprocess.run(command, check=True)
