import asyncio
import http.server
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Completed, Running

from lib.runs.plan import Phase, Workflow
from lib.runs.reader import RunNotFoundError, connected, read_status, run_status
from lib.runs.server import ServerError
from lib.runs.status import RunState, RunStatus

# Prefect's own tables, which filling writes to, are of an older SQLAlchemy's style.
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


def ask(
    question: Callable[..., Awaitable[Any]],
    *arguments: Any,
    on_request: Callable[[httpx.Request], Awaitable[None]] | None = None,
    **options: Any,
) -> tuple[Any, list[str]]:
    """Ask the server something; return the answer and the paths that were called for it."""
    calls: list[str] = []

    async def note(request: httpx.Request) -> None:
        if not request.url.path.endswith("/csrf-token"):  # once a connection, like the greeting below
            calls.append(request.url.path.partition("/api")[2])
        if on_request is not None:
            await on_request(request)

    async def main() -> Any:
        async with get_client(httpx_settings={"event_hooks": {"request": [note]}}) as client:
            await client.hello()  # what it costs to connect is not what it costs to ask
            calls.clear()
            return await question(client, *arguments, **options)

    return asyncio.run(main()), calls


def known(*workflows: Workflow) -> dict[str, Workflow]:
    return {workflow.key: workflow for workflow in workflows}


def fill(filling: ModuleType, workflow: Workflow, **runs: int) -> list[str]:
    return [str(each) for each in filling.fill(filling.database, workflow, **runs)]


def test_a_status_costs_the_same_calls_with_few_and_with_many_past_runs_and_children(filling: ModuleType) -> None:
    first, later = set(), set()
    for children, pasts in ((2, (1, 4, 35)), (12, (1, 4, 35)), (200, (2,))):
        workflow = filling.workflow_of(children, f"cost{children}")
        for more in pasts:
            fill(filling, workflow, completed=more)
            [run_id] = fill(filling, workflow, working=1)
            status, calls = ask(read_status, run_id, known(workflow))
            assert len([phase for phase in status.phases if phase.run_id]) == children
            assert status.basis
            first.add(len(calls) - calls.count("/flows/filter"))
            again, calls = ask(read_status, run_id, known(workflow))
            assert again.model_dump(exclude={"estimated_end", "phases"}) == status.model_dump(
                exclude={"estimated_end", "phases"}
            )
            later.add(len(calls))
    assert first == {6}
    assert later == {4}


def test_children_beyond_a_page_are_all_found(filling: ModuleType) -> None:
    workflow = filling.workflow_of(230, "pages")
    [run_id] = fill(filling, workflow, working=1)
    status, calls = ask(read_status, run_id, known(workflow))
    assert status.counts == {RunState.COMPLETED: 229, RunState.RUNNING: 1}
    assert {phase.done for phase in status.phases} == {12, 4}, "each with its progress"
    assert calls.count("/flow_runs/paginate") == calls.count("/artifacts/filter") == 2


def test_what_a_remembered_child_becomes_is_noticed(filling: ModuleType) -> None:
    workflow = filling.workflow_of(3, "remembered")
    [run_id] = fill(filling, workflow, working=1)
    status = run_status(run_id, known(workflow))
    assert [phase.state.value for phase in status.phases] == ["completed", "completed", "running"]
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(status.phases[0].run_id), Running(), force=True)
    assert run_status(run_id, known(workflow)).phases[0].state is RunState.RUNNING
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(status.phases[0].run_id), Completed(), force=True)
        client.delete_flow_run(UUID(status.phases[1].run_id))
        client.set_flow_run_state(UUID(status.phases[2].run_id), Completed(), force=True)
    later = run_status(run_id, known(workflow))
    assert [phase.run_id is None for phase in later.phases] == [False, True, False]
    assert later.phases[2].state is RunState.COMPLETED


def test_the_past_of_a_run_stays_what_it_was_when_it_began(filling: ModuleType) -> None:
    workflow = filling.workflow_of(2, "past")
    fill(filling, workflow, completed=3)
    [run_id] = fill(filling, workflow, working=1)
    assert "3 runs" in run_status(run_id, known(workflow)).basis
    fill(filling, workflow, completed=5)
    assert "3 runs" in run_status(run_id, known(workflow)).basis
    [other] = fill(filling, workflow, working=1)
    assert "8 runs" in run_status(other, known(workflow)).basis


def test_the_latest_is_the_newest_run_of_a_known_workflow(filling: ModuleType) -> None:
    workflow, other = filling.workflow_of(2, "latest"), filling.workflow_of(2, "stranger")
    with pytest.raises(RunNotFoundError, match="no run yet"):
        run_status("latest", known(workflow))
    with pytest.raises(RunNotFoundError):
        run_status("latest", {})
    fill(filling, workflow, completed=3)
    [run_id] = fill(filling, workflow, working=1)
    fill(filling, other, working=1)
    assert run_status("latest", known(workflow)).run_id == run_id


@pytest.mark.parametrize(
    "run_id", [str(uuid4()), "", "nonsense", "../flow_runs", "\ud800", "0" * 5000, "LATEST", "urn:uuid:x"], ids=ascii
)
def test_what_is_no_run_is_not_found(prefect_server: None, run_id: str) -> None:
    with pytest.raises(RunNotFoundError, match="There is no run"):
        run_status(run_id, known(Workflow("w", "W", "m:f", (Phase(1, "p", "P", "m:f", "base"),))))


def test_a_child_and_a_run_of_another_workflow_are_not_found(filling: ModuleType) -> None:
    workflow = filling.workflow_of(2, "strict")
    [run_id] = fill(filling, workflow, working=1)
    child = run_status(run_id, known(workflow)).phases[0].run_id
    for wrong, workflows in ((child, known(workflow)), (run_id, {}), (run_id, known(filling.workflow_of(2, "else")))):
        with pytest.raises(RunNotFoundError):
            run_status(wrong, workflows)


HOSTILE: Sequence[dict[str, Any]] = [
    {},
    {"source": None, "only": "abc", "first": "x"},
    {"source": ["a", {"b": 1}], "only": {"a": [1]}, "first": [], "last": {}},
    {"source": {"deep": [[[[[[]]]]]]}, "only": [None, {}], "last": 1e300},
    {"source": 12, "only": 3, "first": True},
    {"source": "/", "only": [99999999999999999999]},
    {"source": "<script>\x1b[31m" + "x" * 5000, "only": ["1; drop table"]},
    {"source": "a/../../b\n\t\u202e", "first": -1, "last": "∞"},
]


@pytest.mark.parametrize("parameters", HOSTILE, ids=lambda each: ascii(each)[:40])
def test_parameters_that_make_no_sense_break_no_status(prefect_server: None, parameters: dict[str, Any]) -> None:
    @flow(name="hostile")
    def hostile(source: Any = None, only: Any = None, first: Any = None, last: Any = None) -> None:
        """Never run."""

    workflow = Workflow("hostile", "Hostile", "m:f", (Phase(1, "p", "P", "m:f", "base"),))
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(hostile, parameters=parameters, name="the run")
    status = run_status(str(run.id), known(workflow))
    assert 0 < len(status.subject) <= 200
    assert status.state is RunState.PENDING
    assert len(status.phases) == 1


def test_a_status_can_be_asked_for_in_and_out_of_an_event_loop(filling: ModuleType) -> None:
    workflow = filling.workflow_of(2, "loops")
    [run_id] = fill(filling, workflow, working=1)

    async def inside() -> RunStatus:
        return run_status(run_id, known(workflow))

    with connected() as connection:
        ways = [
            run_status(run_id, known(workflow)),
            asyncio.run(inside()),
            run_status(run_id, known(workflow), connection),
            connection(read_status, run_id, known(workflow)),
        ]
    assert {status.run_id for status in ways} == {run_id}


@pytest.mark.parametrize("path", ["/flow_runs/paginate", "/artifacts/filter", "/flows/filter"])
def test_children_that_are_deleted_between_two_calls_break_no_status(filling: ModuleType, path: str) -> None:
    workflow = filling.workflow_of(3, f"deleted-{path.strip('/').replace('/', '-')}")
    [run_id] = fill(filling, workflow, working=1)
    there = run_status(run_id, known(workflow))
    gone: list[str] = []

    async def delete(request: httpx.Request) -> None:
        if request.url.path.endswith(path) and not gone:
            gone.append(path)
            async with get_client(httpx_settings={"timeout": 30}) as client:
                for phase in there.phases[:2]:
                    await client.delete_flow_run(UUID(phase.run_id))

    status, _ = ask(read_status, run_id, known(workflow), on_request=delete)
    assert len(status.phases) == 3
    assert run_status(run_id, known(workflow)).phases[0].run_id is None or not gone


def test_a_run_that_is_deleted_while_it_is_asked_for_is_not_found(filling: ModuleType) -> None:
    workflow = filling.workflow_of(3, "vanished")
    [run_id] = fill(filling, workflow, working=1)

    async def delete(client: PrefectClient) -> None:
        await client.delete_flow_run(UUID(run_id))
        await read_status(client, run_id, known(workflow))

    run_status(run_id, known(workflow))
    with pytest.raises(RunNotFoundError):
        ask(delete)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything so; gives its address, with a password in it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815  # names that the base class asks for

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://user:pass-word@127.0.0.1:{server.server_port}/api"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b"{}", "error (500)"),
        (401, b"{}", "refuses to answer (401)"),
        (403, b"{}", "PREFECT_API_AUTH_STRING"),
        (422, b"{}", "error (422)"),
        (200, b"<html>another program</html>", "cannot be read"),
        (200, b'{"id": 1}', "cannot be read"),
        (404, b"{}", "no Prefect server"),
    ],
)
def test_a_server_in_trouble_is_told_in_words(status: int, body: bytes, words: str) -> None:
    workflow = Workflow("w", "W", "m:f", (Phase(1, "p", "P", "m:f", "base"),))
    with (
        answering(status, body) as address,
        temporary_settings({PREFECT_API_URL: address, PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(ServerError) as raised,
    ):
        run_status("latest", known(workflow))
    assert words in str(raised.value)
    assert "pass-word" not in str(raised.value)


def test_a_server_that_is_not_there_is_told_in_words() -> None:
    workflow = Workflow("w", "W", "m:f", (Phase(1, "p", "P", "m:f", "base"),))
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(ServerError, match=r"does not answer.*regie up"),
    ):
        run_status(str(uuid4()), known(workflow))
