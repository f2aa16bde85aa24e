"""What a work pool says of how its runs are carried out, and that a pool of another profile takes its place."""

import json
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.workers.process import ProcessJobConfiguration
from prefect_docker.worker import DockerWorkerJobConfiguration

from deployments.containers import image_of, require_containers
from deployments.pools import docker_template, pool_name, process_template, register_pools
from lib.errors import InputError
from lib.settings import Settings

IMAGES = {"base": "studio/base:1", "scenes": "studio/scenes:1", "audio": "a:1", "tracking": "t:1"}


@pytest.fixture
def config(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        profile="docker",
        docker_images=IMAGES,
        docker_memory={"scenes": "3g"},
        docker_gpus=["scenes"],
        console_token="a-secret-that-nobody-guesses",  # type: ignore[arg-type]
    )


def defaults(template: dict[str, Any]) -> dict[str, Any]:
    properties = template["variables"]["properties"]
    return {name: said["default"] for name, said in properties.items() if said.get("default") is not None}


def test_what_a_template_says_fits_what_it_says_is_allowed(config: Settings) -> None:
    for template in (docker_template("scenes", config), process_template(Path("/venv/bin/python"))):
        jsonschema.validate(defaults(template), template["variables"])
        assert set(template["variables"]["properties"]) == set(template["job_configuration"])


def test_a_docker_pool_makes_the_containers_that_the_settings_ask_for(prefect_server: None, config: Settings) -> None:
    async def configure() -> DockerWorkerJobConfiguration:
        return await DockerWorkerJobConfiguration.from_template_and_values(docker_template("scenes", config), {})

    made = anyio.run(configure)
    assert (made.image, made.image_pull_policy) == ("studio/scenes:1", "Never")
    assert (made.network_mode, made.auto_remove, made.mem_limit) == ("host", True, "3g")
    assert made.container_create_kwargs == {"device_requests": [{"count": -1, "capabilities": [["gpu"]]}]}
    assert not {"mem_limit", "container_create_kwargs"} & defaults(docker_template("audio", config)).keys()


def test_nothing_of_this_machine_and_nothing_secret_is_in_a_template(config: Settings) -> None:
    told = json.dumps(docker_template("scenes", config))
    assert str(config.home) not in told
    assert "nobody-guesses" not in told


def test_a_process_pool_names_the_python_of_its_environment(prefect_server: None) -> None:
    async def configure() -> ProcessJobConfiguration:
        return await ProcessJobConfiguration.from_template_and_values(process_template(Path("/a b/bin/python")), {})

    assert "'/a b/bin/python' -m prefect.engine" in str(anyio.run(configure).command)


@flow
def nothing() -> None:
    """Do nothing."""


def test_a_pool_of_another_profile_takes_the_place_of_one_with_its_deployments(
    prefect_server: None, config: Settings, tmp_path: Path
) -> None:
    by_process = config.model_copy(update={"profile": "process"})

    async def change(client: PrefectClient) -> None:
        pool = pool_name("scenes")
        await register_pools(client, tmp_path, by_process)
        assert (await client.read_work_pool(pool)).type == "process"
        await client.update_work_pool(pool, WorkPoolUpdate(concurrency_limit=3, is_paused=True))
        flow_id = await client.create_flow(nothing)
        asked = {"type": "object", "properties": {}, "title": "its own"}
        deployment = await client.create_deployment(
            flow_id, "elsewhere", work_pool_name=pool, tags=["a"], parameter_openapi_schema=asked
        )
        run = await client.create_flow_run_from_deployment(deployment)
        await register_pools(client, tmp_path, config)

        found = await client.read_work_pool(pool)
        assert (found.type, found.concurrency_limit, found.is_paused) == ("docker", 3, True)
        there = await client.read_deployment(deployment)
        assert (there.work_pool_name, there.tags, there.parameter_openapi_schema) == (pool, ["a"], asked)
        assert (await client.read_flow_run(run.id)).deployment_id == deployment
        before = {each.id for each in await client.read_work_pools()}
        await register_pools(client, tmp_path, config)
        assert {each.id for each in await client.read_work_pools()} == before, "what is right stays"
        await register_pools(client, tmp_path, by_process)
        assert (await client.read_work_pool(pool)).type == "process"

    async def run() -> None:
        async with get_client() as client:
            await change(client)

    anyio.run(run)


def test_an_image_is_regies_own_unless_a_setting_names_another(config: Settings) -> None:
    assert image_of("scenes", config) == "studio/scenes:1"
    assert image_of("scenes", Settings()).startswith("regie-scenes:")


def test_a_folder_to_share_that_there_is_not_is_said_before_anything_starts(config: Settings, tmp_path: Path) -> None:
    config.docker_volumes = [tmp_path / "nowhere"]
    with pytest.raises(InputError, match=r"no folder .*nowhere \(setting docker_volumes\)"):
        require_containers(["base"], config, print)


def test_no_engine_is_said_before_anything_starts(
    config: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    with pytest.raises(InputError, match="No Docker engine answers"):
        require_containers(["base"], config, print)


def test_with_processes_no_engine_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    require_containers(["base"], Settings(), print)
