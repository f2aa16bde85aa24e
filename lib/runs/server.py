"""What Prefect's API answers, as rows of the fields that matter; the one place where runs are asked for over HTTP.

The client's own models parse every field of a row and its state: for 200 children that alone takes longer than the
server needs. Prefect's client still carries the requests, with its address, authentication and retries.
"""

import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from prefect.client.orchestration import PrefectClient, get_client
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from lib.errors import InputError

__all__ = ["Connection", "PrefectClient", "ServerError", "client_of", "connected"]  # and the rows, with what reads them

PAGE = 200
"""Most rows that Prefect's API gives in one call."""

R = TypeVar("R")


class ServerError(InputError):
    """Prefect's server does not answer, or not as it should; the message says what to do."""


class StateRow(BaseModel):
    """The state of a flow run."""

    id: UUID
    type: Literal[
        "SCHEDULED", "PENDING", "RUNNING", "PAUSED", "COMPLETED", "FAILED", "CRASHED", "CANCELLED", "CANCELLING"
    ]
    name: str | None = None
    message: str | None = None


class _Row(BaseModel):
    id: UUID


class RunRow(_Row):
    """A flow run."""

    flow_id: UUID
    name: str
    state: StateRow | None = None
    tags: list[str] = []
    parameters: dict[str, Any] = {}
    parent_task_run_id: UUID | None = None
    deployment_id: UUID | None = None
    created: datetime
    expected_start_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    run_count: int = 0


class _RunPage(BaseModel):
    results: list[RunRow]
    pages: int


class ArtifactRow(_Row):
    """An artifact of a flow run."""

    flow_run_id: UUID | None = None
    metadata: dict[str, str] | None = Field(default=None, alias="metadata_")
    data: Any = None


class LogRow(_Row):
    """A line of a log."""

    flow_run_id: UUID | None = None
    level: int
    name: str
    message: str
    timestamp: datetime


class _FlowRow(_Row):
    name: str


_RUN, _RUN_PAGE, _COUNT = TypeAdapter(RunRow), TypeAdapter(_RunPage), TypeAdapter(int)
_RUNS, _ARTIFACTS, _LOGS, _FLOWS = (
    TypeAdapter(list[RunRow]),
    TypeAdapter(list[ArtifactRow]),
    TypeAdapter(list[LogRow]),
    TypeAdapter(list[_FlowRow]),
)


class Connection:
    """A client of Prefect's server for code that is not asynchronous; see `connected`."""

    def __init__(self, portal: BlockingPortal, client: PrefectClient) -> None:
        self._portal = portal
        self._client = client

    def __call__(self, read: Callable[..., Awaitable[R]], *args: Any, **options: Any) -> R:
        """Return what an asynchronous function gives: `connection(read_status, "latest", workflows)`."""
        return self._portal.call(lambda: read(self._client, *args, **options))


@contextmanager
def connected(client: PrefectClient | None = None) -> Iterator[Connection]:
    """Give a connection to the Prefect server that PREFECT_API_URL names, in and out of an event loop.

    It works in a thread of its own, and may be used from any thread. A `client` that is given must not be open yet.
    """
    with start_blocking_portal() as portal:
        # Asked for in that thread: elsewhere it could be the client of another event loop.
        own = client or portal.call(get_client)
        with portal.wrap_async_context_manager(own) as opened:
            yield Connection(portal, opened)


def client_of(url: str) -> PrefectClient:
    """Return a client, not open yet, of the server at this address, whichever one Prefect's own settings name.

    What those hold is for another server: a password or a key is taken from the environment.
    """
    return PrefectClient(
        url,
        auth_string=os.environ.get("PREFECT_API_AUTH_STRING"),
        api_key=os.environ.get("PREFECT_API_KEY"),
    )


async def flow_run(client: PrefectClient, run_id: UUID) -> RunRow | None:
    """Return a flow run; None when there is none."""
    answer = await _ask(client, "GET", f"/flow_runs/{run_id}")
    return None if answer is None else _read(client, _RUN, answer)


async def flow_runs(client: PrefectClient, *, limit: int = PAGE, offset: int = 0, **filters: Any) -> list[RunRow]:
    """Return one page of flow runs; `filters` are Prefect's own: `flow_runs`, `flows` and `sort`."""
    return _read(client, _RUNS, await _post(client, "/flow_runs/filter", limit=limit, offset=offset, **filters))


async def count_flow_runs(client: PrefectClient, **filters: Any) -> int:
    """Return how many flow runs there are."""
    return _read(client, _COUNT, await _post(client, "/flow_runs/count", **filters))


async def children_of(client: PrefectClient, *roots: UUID, without: Collection[UUID] = ()) -> list[RunRow]:
    """Return every child of these runs, oldest first, found by the parent link alone; `without` are left out."""
    wanted: dict[str, Any] = {"parent_flow_run_id": {"any_": [str(root) for root in roots]}}
    if without:
        wanted["id"] = {"not_any_": [str(each) for each in without]}
    rows: dict[UUID, RunRow] = {}  # by their ids: what is added meanwhile may move others to the next page
    page = pages = 1
    while page <= pages:
        body = {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_ASC", "limit": PAGE, "page": page}
        part = _read(client, _RUN_PAGE, await _post(client, "/flow_runs/paginate", **body))
        rows |= {row.id: row for row in part.results}
        page, pages = page + 1, part.pages
    return list(rows.values())


async def artifacts(client: PrefectClient, kind: str, runs: Collection[UUID], *, offset: int = 0) -> list[ArtifactRow]:
    """Return one page of the artifacts of a type that these runs have, the last written first."""
    wanted = {"type": {"any_": [kind]}, "flow_run_id": {"any_": [str(each) for each in runs]}}
    body = {"artifacts": wanted, "sort": "UPDATED_DESC", "limit": PAGE, "offset": offset}
    return _read(client, _ARTIFACTS, await _post(client, "/artifacts/filter", **body))


async def logs(client: PrefectClient, filters: Mapping[str, Any], *, limit: int, offset: int = 0) -> list[LogRow]:
    """Return one page of lines, the oldest first."""
    body = {"logs": filters, "sort": "TIMESTAMP_ASC", "limit": limit, "offset": offset}
    return _read(client, _LOGS, await _post(client, "/logs/filter", **body))


async def flow_names(client: PrefectClient, flow_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of flows by their ids; they never change, so each is asked for once in a process."""
    known = _flow_names.setdefault(str(client.api_url), {})
    wanted = set(flow_ids)
    missing = sorted(wanted - known.keys())
    for start in range(0, len(missing), PAGE):
        part = {"id": {"any_": [str(each) for each in missing[start : start + PAGE]]}}
        rows = _read(client, _FLOWS, await _post(client, "/flows/filter", flows=part, limit=PAGE))
        known.update({row.id: row.name for row in rows})
    return {each: known[each] for each in wanted if each in known}


_flow_names: dict[str, dict[UUID, str]] = {}


async def _post(client: PrefectClient, path: str, **body: Any) -> bytes:
    answer = await _ask(client, "POST", path, json=body)
    if answer is None:
        raise ServerError(f"What answers at {_address(client)} is no Prefect server: it has no {path}.")
    return answer


async def _ask(client: PrefectClient, method: Literal["GET", "POST"], path: str, **options: Any) -> bytes | None:
    """Return the body of an answer; None when the server says that there is no such thing."""
    try:
        response = await client.request(method, path, **options)  # type: ignore[arg-type]  # a path with its id in it
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.NOT_FOUND:
            return None
        raise ServerError(_refusal(client, error.response)) from error
    except httpx.HTTPError as error:
        raise ServerError(
            f"The Prefect server at {_address(client)} does not answer ({type(error).__name__}). Start it with `regie "
            "up`, or correct PREFECT_API_URL."
        ) from error
    except ValueError as error:  # Prefect's client itself reads a token, where the server asks for one
        raise ServerError(_unreadable(client, type(error).__name__)) from error
    return response.content


def _read(client: PrefectClient, adapter: TypeAdapter[R], answer: bytes) -> R:
    try:
        return adapter.validate_json(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ServerError(_unreadable(client, f"{where}: {first['msg']}")) from None


def _unreadable(client: PrefectClient, why: str) -> str:
    return (
        f"What answers at {_address(client)} cannot be read as a Prefect server ({why}). It is another program or "
        "another version: see `regie doctor`."
    )


def _refusal(client: PrefectClient, response: httpx.Response) -> str:
    status = response.status_code
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return (
            f"The Prefect server at {_address(client)} refuses to answer ({status}): "
            "set PREFECT_API_AUTH_STRING or PREFECT_API_KEY."
        )
    return f"The Prefect server at {_address(client)} answered with an error ({status}): its log says why."


def _address(client: PrefectClient) -> str:
    """Return where the server is, without a password that the address may hold."""
    return str(client.api_url.copy_with(userinfo=b""))
