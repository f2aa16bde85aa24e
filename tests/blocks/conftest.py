"""Services on this machine, and a server of Prefect's that knows Régie's blocks."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import pytest
from prefect.client.orchestration import get_client

from blocks.documents import register
from blocks.registry import BLOCKS


@dataclass
class Service:
    """Answers each path with a status and a body, or a redirection; notes who asked with which token."""

    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    elsewhere: str = ""
    """Where every request is sent on to."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def service() -> Iterator[Service]:
    yield from served(Service())


@pytest.fixture
def other() -> Iterator[Service]:
    """A service on another host, by its name."""
    yield from served(Service())


def served(service: Service) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, self.headers.get("Authorization", "").removeprefix("Bearer ")))
            status, said = (302, "") if service.elsewhere else service.answers.get(self.path, (404, "nothing is here"))
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            if service.elsewhere:
                self.send_header("Location", service.elsewhere + self.path)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def registered(prefect_server: None) -> None:
    """The types of blocks, on the server of the session."""

    async def tell() -> None:
        async with get_client() as client:
            await register(client, BLOCKS.values())

    anyio.run(tell)
