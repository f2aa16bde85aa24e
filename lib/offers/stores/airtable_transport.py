"""How Airtable is asked: counted, no faster than it takes, again where that may help, else with words why not."""

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from lib.errors import InputError, UnavailableError
from lib.offers.stores.base import Calls, GoneError, RefusedError
from lib.throttle import Throttle, retry_after

TRIES = 5
FIRST_WAIT = 1.0
"""Seconds before the second try at what failed in passing; doubled each time."""
PENALTY = 30.0
"""Seconds for which Airtable refuses everything after a 429, from its documentation."""
LONGEST_WAIT = 120.0
"""The most that the service may ask us to wait."""
TIMEOUTS = (10.0, 60.0)
"""Seconds to connect, and until the next part of an answer."""
ANSWER_SECONDS = 120.0
ANSWER_BYTES = 64_000_000
"""An answer is refused beyond: a hundred rows with the longest descriptions are less."""
SAID = 300
"""Characters of the service's own words that are repeated."""


class ForbiddenError(UnavailableError):
    """The token may not do this, or there is nothing to do it to: the service does not tell which (403)."""


class Transport(HTTPAdapter):
    """Sends the requests of one store.

    A request is tried again, after the wait that is due, when the service says that it is busy (429) or out of order
    (5xx), and when there is no answer: every request that a store sends can be repeated without harm. Every try counts.
    """

    def __init__(self, calls: Calls, throttle: Throttle, token: str) -> None:
        super().__init__()
        self._calls = calls
        self._throttle = throttle
        self._token = token

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Return the answer, which is a success; raises UnavailableError, InputError or RefusedError in words."""
        service = urlsplit(request.url or "").netloc
        reads = request.method == "GET" or urlsplit(request.url or "").path.endswith("/listRecords")
        words = ""
        for number in range(TRIES):
            try:
                with self._throttle:
                    response = self._once(request, reads, options)
            except requests.RequestException as error:
                # What requests says may hold a good deal of the request: its kind is enough.
                words = f"{service} cannot be reached ({type(error).__name__}): check the address and the network."
                self._throttle.pause(_pause(number))
                continue
            status = response.status_code
            if status == 429:
                words = f"{service} is asked too often (429): are there other programs that ask the same base?"
                self._throttle.pause(self._penalty(response))
            elif status >= 500:
                words = f"{service} is out of order ({status}): try again later."
                self._throttle.pause(_pause(number))
            else:
                self._refuse(response, service, reads)
                return response
        raise UnavailableError(f"{words} It was asked {TRIES} times.")

    def _once(self, request: requests.PreparedRequest, reads: bool, options: Mapping[str, Any]) -> requests.Response:
        if reads:
            self._calls.reads += 1
        else:
            self._calls.writes += 1
        response = super().send(request, **{**options, "stream": True, "timeout": TIMEOUTS})
        deadline = time.monotonic() + ANSWER_SECONDS
        body = bytearray()
        try:
            for part in response.iter_content(65_536):
                body += part
                if len(body) > ANSWER_BYTES:
                    raise UnavailableError("What answers is not Airtable: it says far too much. Check the endpoint.")
                if time.monotonic() > deadline:
                    raise requests.Timeout
        finally:
            response.close()
        # As if requests had read it: it has no way to be given what was read with limits.
        response._content = bytes(body)
        response.encoding = "utf-8"
        return response

    def _penalty(self, response: requests.Response) -> float:
        """Return how long the service wants to be left alone; UnavailableError when that is too long."""
        said = self._said(response)
        if "BILLING_LIMIT" in said:
            raise UnavailableError(f"Airtable takes no more calls this month ({said}): see the plan of the workspace.")
        wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait is not None and wait > LONGEST_WAIT:
            raise UnavailableError(f"Airtable asks for a wait of {wait:.0f} s: try again later.")
        return PENALTY if wait is None else wait

    def _refuse(self, response: requests.Response, service: str, reads: bool) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        said = self._said(response)
        match status:
            case 401:
                raise UnavailableError(
                    "Airtable does not accept the token: make a new one, and give it by AIRTABLE_API_KEY or the block "
                    "`airtable`."
                )
            case 403:
                raise ForbiddenError(
                    "The token may not do this, or there is no such base or table. Let the token have access to the "
                    "base with the scopes data.records:read, data.records:write and schema.bases:read, and check the "
                    "settings offers.store.airtable.base and .table."
                )
            case 404:
                raise UnavailableError(
                    f"Airtable finds no such base or table ({said}): check the settings offers.store.airtable.base and "
                    ".table, and the endpoint."
                )
            case 422 if "ITERATOR_NOT_AVAILABLE" in said:
                raise UnavailableError("Airtable lost its place in the list: load it again.")
            case 422 if said.startswith("ROW_DOES_NOT_EXIST"):
                # So it answers to a batch of which one record does not exist, and writes nothing of it.
                raise GoneError
            case 400 | 413 | 422 if reads:
                raise InputError(f"Airtable does not understand what is asked: {said}. `regie offers check` says why.")
            case 400 | 413 | 422:
                raise RefusedError(f"Airtable does not take it: {said}")
            case _ if response.is_redirect:
                raise UnavailableError(f"{service} sends on to another address, to which the token does not go.")
            case _:
                raise UnavailableError(f"{service} answers {status} ({said}): is it Airtable? Check the endpoint.")

    def _said(self, response: requests.Response) -> str:
        """Return what the service says of an error, short and without the token."""
        try:
            error = response.json()["error"]
            said = error if isinstance(error, str) else ": ".join(str(error[each]) for each in ("type", "message"))
        except (ValueError, KeyError, TypeError, RecursionError):
            return f"status {response.status_code}"
        said = "".join(letter if letter.isprintable() else " " for letter in said.replace(self._token, "…"))
        return said if len(said) <= SAID else f"{said[:SAID]}…"


def _pause(number: int) -> float:
    # The random part spreads those who ask; it is no secret.
    return FIRST_WAIT * 2.0**number * random.uniform(0.5, 1.0)  # noqa: S311
