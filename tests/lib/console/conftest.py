import contextlib
import contextvars
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from lib.console.__main__ import Server
from lib.ports import listen_on
from lib.runs.plan import Workflow
from lib.settings import Settings, settings
from lib.workflows import workflows


@contextlib.contextmanager
def serving(known: dict[str, Workflow], **options: Any) -> Iterator[str]:
    """Serve a console on a port of its own, with real sockets; give its address."""
    from lib.console.app import create_app

    config = Settings(**{"console_host": "127.0.0.1", **options})
    with listen_on(config.console_host, 0, "REGIE_CONSOLE_PORT") as listening:
        port = listening.getsockname()[1]
        server = Server(create_app(config.model_copy(update={"console_port": port}), known))
        # Prefect's settings of a test belong to its context.
        thread = threading.Thread(target=contextvars.copy_context().run, args=(server.run, [listening]))
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not server.started:
                assert thread.is_alive()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@contextlib.contextmanager
def open_tabs(chromium: Any, url: str) -> Iterator[Any]:
    """Give what opens a path of the console in a tab of its own; no page may say that anything is wrong."""
    with contextlib.ExitStack() as stack:
        complaints: list[str] = []

        def go(path: str, size: str = "desktop", wait: bool = True, **options: Any) -> Any:
            phone = {"is_mobile": True, "has_touch": True} if size == "phone" else {}
            context = stack.enter_context(
                chromium.new_context(viewport=SIZES[size], base_url=url, **{"locale": "en-GB", **phone, **options})
            )
            tab = context.new_page()
            tab.set_default_timeout(20_000)
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
            tab.goto(path)
            if wait:
                tab.wait_for_selector("#live[data-live=on]", state="attached")
            return tab

        go.complaints = complaints  # type: ignore[attr-defined]
        yield go
    assert complaints == []


@pytest.fixture(scope="session")
def visiting() -> Callable[..., contextlib.AbstractContextManager[Any]]:
    """Opens pages of the console at an address in a browser."""
    return open_tabs


Serve = Callable[..., contextlib.AbstractContextManager[str]]


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Serves a console of these workflows and settings, and gives its address."""
    return serving


@pytest.fixture(scope="module")
def away() -> Iterator[None]:
    """The address of a Prefect server that is not there."""
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with socket.create_server(("127.0.0.1", 0)) as reserved:
        nowhere = f"http://127.0.0.1:{reserved.getsockname()[1]}/api"
    with temporary_settings({PREFECT_API_URL: nowhere, PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield


@pytest.fixture(scope="module")
def lonely(serve: Serve, away: None, toy: dict[str, Workflow]) -> Iterator[httpx.Client]:
    """A console whose Prefect server is away."""
    with serve(toy) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="module")
def toy(toy_folder: str) -> dict[str, Workflow]:
    from regie_toy_plan import TOY

    return {TOY.key: TOY}


@pytest.fixture(scope="package")
def deployed(prefect_server: None, toy_folder: str) -> None:
    """The toy's deployments, on the server of the session; no worker takes their runs up."""
    from deployments.register import register

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGIE_WORKFLOWS", '["regie_toy_plan:TOY"]')
        settings.cache_clear()
        workflows.cache_clear()
        anyio.run(register, Path("envs"))
    settings.cache_clear()
    workflows.cache_clear()


@pytest.fixture(scope="module")
def console(serve: Serve, deployed: None, toy: dict[str, Workflow]) -> Iterator[httpx.Client]:
    """A console with its Prefect server."""
    with serve(toy) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="module")
def ended(deployed: None, toy_folder: str) -> dict[str, str]:
    """Runs of the toy that ended, by how: their ids."""
    import regie_toy

    runs = {
        "completed": regie_toy.toy(source="/things/good box", inline=True, return_state=True),
        "partial": regie_toy.toy(
            source="/things/<b>bad</b> box", orders={"phases": {"left": "raise"}}, inline=True, return_state=True
        ),
    }
    return {name: str(state.state_details.flow_run_id) for name, state in runs.items()}
