"""Places: how many phases of a heavy environment, or runs on one thing, work at once, on all machines together.

They are Prefect's global concurrency limits, held by a lease that is renewed while the phase lives. Prefect's own
`concurrency()` is not used: while it waits it cannot be stopped in a thread, and it gives a place up for good when the
server does not answer for a few seconds.
"""

import contextlib
import contextvars
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder, FlowRun
from prefect.logging import get_run_logger

from flows.stopping import own_run
from lib.environments import ENVIRONMENTS
from lib.errors import UnavailableError
from lib.runs.progress import ProgressRecord
from lib.settings import Limits, Settings

LEASE_SECONDS = 60.0
"""How long a place is held for a phase that says no more that it lives: the least that Prefect's server takes. It
looks for places to free every 15 s."""
SECONDS_BETWEEN_RENEWALS = 15.0
SECONDS_BETWEEN_TRIES = 1.0
LABEL = "regie.place"
"""Label of a phase's run that names its lease: when its process is known to be dead, its place is freed at once."""
GPU = "gpu"
_LOCKED, _GONE = 423, 410
_GPU_DEVICES = (Path("/dev/nvidiactl"), Path("/dev/dxg"))
"""There where a process can reach a GPU: in a container only when it was given one. The second is that of WSL."""


def limits(config: Settings) -> dict[str, int]:
    """Return the named limits that there are to be on a server: their names, and how many places each has."""
    return {_name(key): int(places) for key, places in dict(config.limits).items()}


def needed(environment: str, devices: tuple[Path, ...] = _GPU_DEVICES) -> list[str]:
    """Return the names of the limits of which a phase of an environment takes a place each, here."""
    if environment not in Limits.model_fields:
        return []
    gpu = ENVIRONMENTS[environment].gpu and any(device.exists() for device in devices)
    return [_name(environment), *([_name(GPU)] if gpu else [])]


@contextlib.contextmanager
def place(environment: str) -> Iterator[None]:
    """Hold a place of an environment for as long as the block, a phase, lasts; wait for it when all are taken.

    Nothing is held for an environment that is not limited. Raises UnavailableError when the server does not know the
    limits. While it waits, the run says so, and can be stopped.
    """
    names = needed(environment)
    if not names:
        yield
        return
    with _held(names, f"another phase of {environment} has ended (setting limits)"):
        yield


@contextlib.contextmanager
def alone(thing: str, words: str) -> Iterator[None]:
    """Let no other run work on a thing (a digest of its address, say) during the block; wait while one does.

    `words` say what is waited for: `another run on this store has ended`. Else as `place`.
    """
    name = _name(thing)
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(name, 1)
    with _held([name], words):
        yield


@contextlib.contextmanager
def _held(names: list[str], words: str) -> Iterator[None]:
    with get_client(sync_client=True) as client:
        lease = _wait_for(client, names, words)
        done = threading.Event()
        # In the context of the run, so that its logger and its client's settings are found.
        renew = contextvars.copy_context().run
        threading.Thread(target=renew, args=(_renew_on, lease, done), name="place", daemon=True).start()
        try:
            with contextlib.suppress(httpx.HTTPError):  # without it the place is free later, when the lease runs out
                client.update_flow_run_labels(own_run(), {LABEL: str(lease)})
            yield
        finally:
            done.set()
            with contextlib.suppress(httpx.HTTPError):  # it runs out by itself
                client.release_concurrency_slots_with_lease(lease)


def lease_of(run: FlowRun) -> UUID | None:
    """Return the lease by which a run holds or held its place: once its process is gone, that is to be released."""
    try:
        return UUID(str(run.labels.get(LABEL)))
    except ValueError:
        return None


def _name(key: str) -> str:
    return f"regie-{key}"


def _wait_for(client: SyncPrefectClient, names: list[str], words: str) -> UUID:
    """Return a lease of one place of each limit, as soon as all of them have one."""
    waiting = False
    holder = ConcurrencyLeaseHolder(type="flow_run", id=own_run())
    while True:
        try:
            answer = client.increment_concurrency_slots_with_lease(names, 1, "concurrency", LEASE_SECONDS, holder)
        except httpx.HTTPError as error:
            # A server that is away for a while is waited for like a place.
            if isinstance(error, httpx.HTTPStatusError) and not _is_passing(error.response.status_code):
                raise
        else:
            break
        if not waiting:
            waiting = True
            _say_that_it_waits(client, f"waits until {words}")
        time.sleep(SECONDS_BETWEEN_TRIES * (0.5 + random.random()))  # noqa: S311  # who comes at once does not again
    lease = UUID(answer.json()["lease_id"])
    known = {each["name"] for each in answer.json()["limits"]}
    if missing := [name for name in names if name not in known]:
        client.release_concurrency_slots_with_lease(lease)
        raise UnavailableError(
            f"The server has no limit {missing[0]}, without which too many heavy phases would work at once: "
            "`regie deploy` makes it."
        )
    if waiting:
        get_run_logger().info("It has its place and begins")
    return lease


def _is_passing(status: int) -> bool:
    return status == _LOCKED or status >= 500


def _say_that_it_waits(client: SyncPrefectClient, words: str) -> None:
    get_run_logger().info("It %s", words)
    record = ProgressRecord(item=words)
    with contextlib.suppress(httpx.HTTPError):
        client.create_artifact(
            ArtifactCreate(
                type="progress", flow_run_id=own_run(), data=0.0, description=words, metadata_=record.as_metadata()
            )
        )


def _renew_on(lease: UUID, done: threading.Event) -> None:
    """Renew a lease until the work is done; a server that is in trouble is asked again, and ends no work."""
    with get_client(sync_client=True) as client:
        while not done.wait(SECONDS_BETWEEN_RENEWALS):
            try:
                client.renew_concurrency_lease(lease, LEASE_SECONDS)
            except httpx.HTTPStatusError as error:
                if error.response.status_code == _GONE and not done.is_set():
                    get_run_logger().warning("Its place was given away while the server did not hear of it; it goes on")
                    return
            except httpx.HTTPError:
                continue
