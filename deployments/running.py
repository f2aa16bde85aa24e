"""Where the Prefect server is that this process is to use."""

import contextlib
import json
import os

import httpx

from lib.settings import Settings

SECONDS_TO_ANSWER = 5.0


def running_server(config: Settings) -> str:
    """Return the address of the server's API: of the one that is set, else of the stack that is up on this machine.

    It is set by `server_url` or PREFECT_API_URL. Empty when there is none; a stack whose server does not answer counts
    as none.
    """
    if url := config.server_url or os.environ.get("PREFECT_API_URL"):
        return url
    with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
        url = str(json.loads((config.run_folder / "stack.json").read_text())["api_url"])
        if httpx.get(f"{url}/health", timeout=SECONDS_TO_ANSWER).is_success:
            return url
    return ""
