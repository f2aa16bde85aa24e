"""One small, careful HTTP request to a service that is tried."""

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from lib.errors import UnavailableError

SECONDS = 15.0
"""How long a service may take to answer, all in all."""
ANSWER_BYTES = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What a service says."""

    status: int
    body: bytes


def get(url: str, token: str) -> Answer:
    """Ask a service with a token, which goes nowhere else: the answer may be a redirection, that is not followed.

    Raises UnavailableError, without the token, when there is no answer.
    """
    host = urlsplit(url).netloc
    deadline = time.monotonic() + SECONDS
    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=False) as client,
            client.stream("GET", url, headers={"Authorization": f"Bearer {token}"}) as response,
        ):
            body = b""
            for part in response.iter_bytes():
                body += part
                if len(body) > ANSWER_BYTES:
                    raise UnavailableError(f"{host} gives an answer that is far too large: check the address.")
                if time.monotonic() > deadline:
                    raise UnavailableError(f"{host} does not answer within {SECONDS:.0f} s.")
            return Answer(response.status_code, body)
    # The errors of httpx may hold the request, and the token in it.
    except httpx.TimeoutException:
        raise UnavailableError(f"{host} does not answer within {SECONDS:.0f} s.") from None
    except httpx.HTTPError as error:
        raise UnavailableError(
            f"{host} cannot be reached ({type(error).__name__}): check the address and the network."
        ) from None
