"""`python -m lib.console`: the console of this machine, for the Prefect server that PREFECT_API_URL names."""

import os
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from lib.console.listening import listen
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
        with listen(config) as listening:
            serve(config, listening)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def serve(config: Settings, listening: socket.socket) -> None:
    """Serve on a socket until SIGINT or SIGTERM."""
    if not os.environ.get("PREFECT_API_URL"):
        raise InputError("The console needs a Prefect server: `regie up` starts both; PREFECT_API_URL names another.")
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
