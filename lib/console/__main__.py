"""`python -m lib.console`: the console of this machine, for the Prefect server that PREFECT_API_URL names."""

import os
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from lib.console.hosts import is_loopback
from lib.errors import InputError
from lib.settings import Settings, settings

if TYPE_CHECKING:
    from fastapi import FastAPI

SECONDS_TO_END = 3
"""How long an answer that is under way may take when the console is told to end."""


def main() -> int:
    """Serve until told to end; return the exit code."""
    try:
        config = settings()
        check(config)
        with listen(config.console_host, config.console_port) as listening:
            serve(config, listening)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def check(config: Settings) -> None:
    """Raise InputError when the console must not be started like this."""
    if not is_loopback(config.console_host) and config.console_token is None:
        raise InputError(
            f"The console is to listen on {config.console_host}, where other machines reach it: that needs a token. "
            "Set REGIE_CONSOLE_TOKEN, or leave REGIE_CONSOLE_HOST at 127.0.0.1."
        )
    if not os.environ.get("PREFECT_API_URL"):
        raise InputError("The console needs a Prefect server: `regie up` starts both; PREFECT_API_URL names another.")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; InputError when it cannot."""
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise InputError(
            f"The console cannot listen on {host}, port {port}: {error.strerror}. If another program has the port, "
            "give another one: REGIE_CONSOLE_PORT=8400"
        ) from error
    return listening


def serve(config: Settings, listening: socket.socket) -> None:
    """Serve on a socket until SIGINT or SIGTERM."""
    # Somebody waits for each answer: that Prefect is away is said at once, and asking again is up to them. Prefect
    # reads its settings when it is imported, which is why that comes after.
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "0")
    from lib.console.app import create_app
    from lib.workflows import workflows

    Server(create_app(config, workflows())).run(sockets=[listening])


class Server(uvicorn.Server):
    """A server that ends the streams of events first: uvicorn alone waits for them, and they never end."""

    def __init__(self, app: "FastAPI") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="on",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=SECONDS_TO_END,
            )
        )
        self.app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then everything else."""
        self.app.state.hub.close()
        await super().shutdown(sockets)


if __name__ == "__main__":
    sys.exit(main())
