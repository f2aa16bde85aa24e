"""The worker that carries each run out in a container of the image that its pool names."""

import math
import sys
import threading
from typing import Any
from uuid import uuid4

import anyio
from anyio.abc import TaskStatus
from anyio.to_thread import run_sync
from docker import DockerClient
from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container
from docker.utils.socket import frames_iter
from prefect.client.schemas.objects import FlowRun
from prefect_docker.worker import DockerWorker, DockerWorkerJobConfiguration, DockerWorkerResult

from deployments.taking_up import TakingUp
from lib import containers
from lib.errors import UnavailableError
from lib.runs.process import CONTAINER, TOLD, place_of, place_of_container
from lib.settings import settings

SECONDS_TO_STOP = 5
"""How long a container may take to end when its worker is told to: its flow says how it ended, and cleans up."""
NOT_GIVEN = ("PREFECT_HOME", "PREFECT_PROFILES_PATH", "PREFECT_SERVER_", "PREFECT_API_DATABASE_")
"""What begins the names of Prefect's variables that a container is not given: of folders, and what is the server's."""
LOST = -1
"""Exit code of a container that ended unseen."""


class RegieDockerWorker(TakingUp, DockerWorker):  # type: ignore[misc]  # which has no types
    """A Docker worker whose containers work for this machine's folders and user, and end with it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # One thread waits for each container: Prefect's own would let 40 of them work at a time.
        self._threads = anyio.CapacityLimiter(math.inf)
        self._wires: dict[str, _Wire] = {}

    async def run(
        self,
        flow_run: FlowRun,
        configuration: DockerWorkerJobConfiguration,
        task_status: TaskStatus[Any] | None = None,
    ) -> DockerWorkerResult:
        """Carry a flow run out in a container, to its end; the container ends with this call in any case."""
        name = f"{CONTAINER}{flow_run.id}-{uuid4().hex[:8]}"
        place = place_of_container(name)
        _fit(configuration, name, place)
        container = await run_sync(self._begin, configuration, limiter=self._threads)
        if task_status is not None:
            task_status.started(place)
        try:
            code = await run_sync(
                self._follow, container, configuration.auto_remove, abandon_on_cancel=True, limiter=self._threads
            )
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await run_sync(_stop, container, limiter=self._threads)
            raise
        await self.end_unbegun(flow_run)
        return DockerWorkerResult(status_code=code, identifier=place)

    def _begin(self, configuration: DockerWorkerJobConfiguration) -> Container:
        try:
            container: Container
            container, _event = self._create_and_start_container(configuration)
        except ImageNotFound as error:
            raise UnavailableError(containers.no_image(configuration.image)) from error
        except Exception:
            if wire := self._wires.pop(configuration.name, None):
                wire.close()
            # One that was made and cannot be started would never be removed.
            with containers.engine() as engine:
                containers.remove(engine, configuration.name)
            raise
        return container

    def _create_container(self, docker_client: DockerClient, **options: Any) -> Container:
        """Make a container that ends with this process: its standard input is held open from before its start."""
        container: Container = super()._create_container(docker_client, stdin_open=True, **options)
        self._wires[str(container.name)] = _Wire(self._get_client(), container)
        return container

    def _follow(self, container: Container, auto_remove: bool) -> int:
        """Show what a container says until it has ended and is removed; return its exit code."""
        wire = self._wires.pop(str(container.name))
        threading.Thread(target=wire.show, name=f"output of {container.name}", daemon=True).start()
        try:
            ended = container.wait(timeout=None, condition="removed" if auto_remove else "not-running")
            return int(ended["StatusCode"])
        except APIError as error:
            if error.status_code == 404:
                return LOST
            raise


class _Wire:
    """The standard input of a container, which ends when this is closed, and what the container says."""

    def __init__(self, client: DockerClient, container: Container) -> None:
        self._client = client
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._socket = client.api.attach_socket(str(container.id), wanted)

    def show(self) -> None:
        """Copy what the container says to the log of its worker, until the container ends."""
        try:
            for _stream, words in frames_iter(self._socket, tty=False):  # type: ignore[no-untyped-call]
                sys.stdout.buffer.write(words)
                sys.stdout.buffer.flush()
        finally:
            self.close()

    def close(self) -> None:
        self._socket.close()
        self._client.close()


def _fit(configuration: DockerWorkerJobConfiguration, name: str, place: str) -> None:
    """Give a container what belongs to this machine: its folders, its user, what is set on it."""
    config = settings()
    configuration.name = name
    configuration.labels |= {containers.WORKER: place_of()}
    configuration.volumes = [*configuration.volumes, *containers.volumes(config)]
    own = {k: v for k, v in configuration.env.items() if not k.startswith(NOT_GIVEN)}
    configuration.env = {**containers.variables(config), **own, TOLD: place}
    configuration.container_create_kwargs = {**containers.user(), **(configuration.container_create_kwargs or {})}


def _stop(container: Container) -> None:
    try:
        container.stop(timeout=SECONDS_TO_STOP)
    except APIError as error:
        if error.status_code not in {404, 409}:  # it has ended, or is being removed
            raise
