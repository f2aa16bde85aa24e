"""What the catalogue says, made true on a real server."""

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.exceptions import PrefectHTTPStatusError
from prefect.utilities.processutils import command_from_string

from deployments import environments
from deployments.catalogue import SCHEDULED, TAG
from deployments.pools import pool_name, process_template
from deployments.register import Changes, register
from flows.orchestration import load_flow
from lib.runs.control import DEPLOYMENT
from lib.runs.plan import environments_of
from lib.settings import Settings, settings
from lib.video.options import VideoOptions
from lib.workflows import workflows

ROOT = Path(__file__).resolve().parents[2]
PARTS = [
    pytest.param(name, entrypoint, environment, id=name)
    for workflow in workflows().values()
    for name, entrypoint, environment in [
        (workflow.flow_name(), workflow.flow, workflow.environment),
        *((workflow.flow_name(phase), phase.flow, phase.environment) for phase in workflow.phases),
    ]
]


def snapshot(client: SyncPrefectClient) -> list[Any]:
    """The pools, limits and deployments that there are, with the times of their last change."""
    limits = client.read_global_concurrency_limits(limit=200)
    return [each.model_dump() for each in (*client.read_work_pools(), *limits, *client.read_deployments())]


def everything(client: SyncPrefectClient) -> dict[str, dict[str, Any]]:
    """All that a server says of its deployments, but who made them when."""
    found = {}
    for each in client.read_deployments():
        said = each.model_dump(
            mode="json", exclude={"id", "created", "updated", "version_id", "created_by", "updated_by"}
        )
        for schedule in said["schedules"]:
            for key in ("id", "created", "updated", "deployment_id"):
                del schedule[key]
        limit = said.pop("global_concurrency_limit")
        found[f"{client.read_flow(each.flow_id).name}/{each.name}"] = {**said, "limit": limit and limit["limit"]}
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("virtual environments")


def apply(root: Path, config: Settings | None = None, *, prune: bool = False) -> Changes:
    return anyio.run(lambda: register(root, prune=prune, config=config))


@pytest.fixture(scope="module")
def registered(prefect_server: None, root: Path) -> None:
    apply(root)


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


def test_registering_again_writes_nothing(client: SyncPrefectClient, root: Path) -> None:
    before = snapshot(client)
    assert apply(root) == Changes()
    assert snapshot(client) == before


def test_what_has_changed_is_written_and_said(client: SyncPrefectClient, root: Path, tmp_path: Path) -> None:
    moved = Settings.model_validate({"inbox": str(tmp_path), "limits": {"scenes": 3}})
    changes = apply(root, moved)
    assert "limit regie-scenes: 1 → 3" in changes.changed
    assert "video/regie: parameters" in changes.changed
    assert (changes.made, changes.removed, changes.left) == ([], [], [])
    assert deployment(client, "video").parameters["source"] == str(tmp_path)
    [pool] = [pool for pool in client.read_work_pools() if pool.name == "regie-scenes"]
    assert pool.concurrency_limit == 3, "no process is started for what would only wait"
    apply(root)
    assert client.read_global_concurrency_limit_by_name("regie-scenes").limit == 1


def test_what_somebody_changed_on_the_server_is_as_the_catalogue_says_again(
    client: SyncPrefectClient, root: Path
) -> None:
    found = deployment(client, "video-scenes")
    update = DeploymentUpdate(description="mine", tags=["mine", TAG], parameter_openapi_schema={"properties": {}})  # type: ignore[arg-type]
    client.update_deployment(found.id, update)
    assert apply(root).changed == ["video-scenes/regie: description, tags, parameter_openapi_schema"]
    assert apply(root) == Changes()
    assert deployment(client, "video-scenes").id == found.id


def test_a_deployment_that_the_catalogue_has_no_more_is_named_and_removed_only_when_asked_for(
    client: SyncPrefectClient, root: Path
) -> None:
    flow_id = client.create_flow_from_name("old-workflow")
    client.create_deployment(flow_id=flow_id, name="regie", tags=[TAG])
    client.create_deployment(flow_id=flow_id, name="of somebody else")
    assert apply(root).left == ["old-workflow/regie"]
    assert apply(root, prune=True).removed == ["old-workflow/regie"]
    assert apply(root, prune=True) == Changes()
    client.delete_deployment(client.read_deployment_by_name("old-workflow/of somebody else").id)


NIGHTLY = Settings.model_validate({"schedules": {"video": {"cron": "0 3 * * *", "timezone": "Europe/Paris"}}})


@pytest.fixture
def scheduled(client: SyncPrefectClient, root: Path) -> Iterator[DeploymentResponse]:
    """The deployment of `video` that runs nightly, once that is switched on."""
    assert apply(root, NIGHTLY).made == ["video/scheduled"]
    yield client.read_deployment_by_name(f"video/{SCHEDULED}")
    assert apply(root, prune=True).removed == ["video/scheduled"]


def switched(client: SyncPrefectClient, found: DeploymentResponse) -> bool:
    [schedule] = client.read_deployment(found.id).schedules
    return schedule.active


def test_a_schedule_is_off_at_first_and_its_runs_do_not_overlap(
    client: SyncPrefectClient, scheduled: DeploymentResponse
) -> None:
    [schedule] = scheduled.schedules
    assert isinstance(schedule.schedule, CronSchedule)
    assert (schedule.schedule.cron, schedule.schedule.timezone) == ("0 3 * * *", "Europe/Paris")
    assert not schedule.active
    assert scheduled.global_concurrency_limit is not None
    assert scheduled.global_concurrency_limit.limit == 1
    assert scheduled.concurrency_options is not None
    assert scheduled.concurrency_options.collision_strategy.value == "CANCEL_NEW"
    assert deployment(client, "video").global_concurrency_limit is None, "runs by hand are as many as people start"


def test_a_schedule_stays_as_it_was_switched_until_a_setting_says_so(
    client: SyncPrefectClient, scheduled: DeploymentResponse, root: Path
) -> None:
    client.update_deployment_schedule(scheduled.id, scheduled.schedules[0].id, active=True)
    assert apply(root, NIGHTLY) == Changes()
    assert switched(client, scheduled)

    later = Settings.model_validate({"schedules": {"video": {"cron": "0 4 * * *"}}})
    assert apply(root, later).changed == ["video/scheduled: schedule"]
    assert switched(client, scheduled), "other times do not switch it off"

    off = Settings.model_validate({"schedules": {"video": {"cron": "0 4 * * *", "active": False}}})
    assert apply(root, off).changed == ["video/scheduled: schedule"]
    assert not switched(client, scheduled)


def test_schedules_that_people_added_themselves_are_left_alone(
    client: SyncPrefectClient, scheduled: DeploymentResponse, root: Path
) -> None:
    client.create_deployment_schedules(scheduled.id, [(IntervalSchedule(interval=timedelta(days=7)), False)])
    every_hour = Settings.model_validate({"schedules": {"video": {"interval": 3600}}})
    assert apply(root, every_hour).changed == ["video/scheduled: schedule"]
    assert apply(root, every_hour) == Changes()
    assert len(client.read_deployment(scheduled.id).schedules) == 2


def clear(client: SyncPrefectClient) -> None:
    """Remove every deployment: other tests leave some that no catalogue knows."""
    for each in client.read_deployments():
        client.delete_deployment(each.id)


def test_prefect_deploy_makes_exactly_the_same_deployments(client: SyncPrefectClient, root: Path) -> None:
    clear(client)
    apply(root)
    ours = everything(client)
    clear(client)
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=ROOT,
        env={**os.environ, "REGIE_HOME": str(settings().home), "PREFECT_API_URL": str(client.api_url)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    theirs = everything(client)
    assert theirs == ours
    assert len(theirs) == sum(1 + len(workflow.phases) for workflow in workflows().values())
    assert apply(root) == Changes(), "what Prefect's command made, Régie's leaves as it is"


@pytest.mark.parametrize(("name", "entrypoint", "environment"), PARTS)
def test_a_run_with_only_defaults_is_taken_as_prefects_pages_start_it(
    client: SyncPrefectClient, name: str, entrypoint: str, environment: str
) -> None:
    found = deployment(client, name)
    made = client.request("POST", "/deployments/{id}/create_flow_run", path_params={"id": found.id}, json={})
    run = client.read_flow_run(UUID(made.json()["id"]))
    assert run.parameters == found.parameters
    flow = load_flow(entrypoint)
    assert set(flow.validate_parameters(run.parameters)) <= set(inspect.signature(flow.fn).parameters)
    client.delete_flow_run(run.id)


def test_environments_that_moved_are_found_where_they_are_now(
    client: SyncPrefectClient, root: Path, tmp_path: Path
) -> None:
    def commands() -> set[str]:
        pools = {pool.name: pool for pool in client.read_work_pools()}
        pool = pools[pool_name("tracking")]
        return set(command_from_string(pool.base_job_template["variables"]["properties"]["command"]["default"]))

    apply(tmp_path)
    moved = commands()
    apply(root)
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
