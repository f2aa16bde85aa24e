import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.processutils import command_from_string

from deployments import environments
from deployments.register import register
from deployments.pools import pool_name, process_template
from flows.orchestration import load_flow
from lib.runs.control import DEPLOYMENT
from lib.runs.plan import environments_of
from lib.video.options import VideoOptions
from lib.workflows import workflows

PARTS = [
    pytest.param(name, entrypoint, environment, id=name)
    for workflow in workflows().values()
    for name, entrypoint, environment in [
        (workflow.flow_name(), workflow.flow, workflow.environment),
        *((workflow.flow_name(phase), phase.flow, phase.environment) for phase in workflow.phases),
    ]
]


def snapshot(client: SyncPrefectClient) -> list[tuple[Any, ...]]:
    """The pools and deployments that there are, without their times."""
    pools = [(pool.id, pool.name, pool.type, pool.base_job_template) for pool in client.read_work_pools()]
    keys = ("id", "name", "flow_id", "entrypoint", "work_pool_name", "tags", "parameter_openapi_schema")
    return pools + [tuple(getattr(each, key) for key in keys) for each in client.read_deployments()]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("virtual environments")


@pytest.fixture(scope="module")
def registered(prefect_server: None, root: Path) -> None:
    anyio.run(register, root)


@pytest.fixture
def client(registered: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


def deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    return client.read_deployment_by_name(f"{name}/{DEPLOYMENT}")


def test_every_environment_has_a_process_pool_whose_runs_its_own_python_executes(
    client: SyncPrefectClient, root: Path
) -> None:
    pools = {pool.name: pool for pool in client.read_work_pools()}
    for key in environments_of(workflows().values()):
        pool = pools[pool_name(key)]
        assert pool.type == "process"
        command = command_from_string(pool.base_job_template["variables"]["properties"]["command"]["default"])
        assert command[0] == str(environments.python(key, root))
        assert command[-2:] == ["-m", "prefect.engine"]


@pytest.mark.parametrize(("name", "entrypoint", "environment"), PARTS)
def test_each_flow_has_a_deployment_in_its_pool_with_the_parameters_that_it_takes(
    client: SyncPrefectClient, name: str, entrypoint: str, environment: str
) -> None:
    found = deployment(client, name)
    assert found.work_pool_name == pool_name(environment)
    assert found.entrypoint == entrypoint.replace(":", ".")
    assert found.enforce_parameter_schema
    schema = found.parameter_openapi_schema
    assert schema is not None
    parameters = inspect.signature(load_flow(entrypoint).fn).parameters
    assert list(schema["properties"]) == list(parameters)
    required = [each for each, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    assert schema.get("required", []) == required


@pytest.mark.parametrize("workflow", workflows().values(), ids=lambda workflow: workflow.key)
def test_a_person_reads_what_each_parameter_is_for(client: SyncPrefectClient, workflow: Any) -> None:
    schema = deployment(client, workflow.flow_name()).parameter_openapi_schema
    assert schema is not None
    for name, parameter in schema["properties"].items():
        assert parameter.get("description"), name
    assert "Args" not in str(deployment(client, workflow.flow_name()).description)


def test_registering_again_changes_nothing(client: SyncPrefectClient, root: Path) -> None:
    before = snapshot(client)
    anyio.run(register, root)
    assert snapshot(client) == before


def test_environments_that_moved_are_found_where_they_are_now(
    client: SyncPrefectClient, root: Path, tmp_path: Path
) -> None:
    def commands() -> set[str]:
        pools = {pool.name: pool for pool in client.read_work_pools()}
        pool = pools[pool_name("tracking")]
        return set(command_from_string(pool.base_job_template["variables"]["properties"]["command"]["default"]))

    anyio.run(register, tmp_path)
    moved = commands()
    anyio.run(register, root)
    assert str(environments.python("tracking", tmp_path)) in moved
    assert str(environments.python("tracking", root)) in commands()


def test_what_the_command_line_and_the_orchestrator_send_is_taken(client: SyncPrefectClient) -> None:
    sent = {"source": "/films/a b.zip", "out": "/out", "options": VideoOptions().model_dump(mode="json")}
    rest = {"only": None, "first": 3, "last": None, "inline": False}
    run = client.create_flow_run_from_deployment(deployment(client, "video").id, parameters={**sent, **rest})
    assert run.parameters["options"] == sent["options"]
    client.create_flow_run_from_deployment(deployment(client, "video-scenes").id, parameters=sent)


WRONG = [{"source": None}, {"out": 3}, {"only": "three"}, {"first": [1]}, {"options": {"scenes": {"treshold": 0.4}}}]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_parameters_are_refused_before_a_run_is_made(client: SyncPrefectClient, wrong: dict[str, Any]) -> None:
    parameters = {"source": "/films/a.zip", "out": "/out", **wrong}
    with pytest.raises(PrefectHTTPStatusError, match=r"40[09]|422"):
        client.create_flow_run_from_deployment(deployment(client, "video").id, parameters=parameters)


def test_a_python_in_a_folder_with_a_hostile_name_is_one_word_of_the_command() -> None:
    python = Path("/a b/it's $HOME;x/bin/python")
    template = process_template(python)
    command = command_from_string(template["variables"]["properties"]["command"]["default"])
    assert command.count(str(python)) == 2
    assert "{{ command }}" in str(template["job_configuration"]), "the pool's default is what runs use"
    assert sys.executable not in command
