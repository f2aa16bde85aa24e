"""An interface like OpenAI's for chat, through its package: careful, patient within limits, believing nothing."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
import openai

from lib.errors import InputError, UnavailableError
from lib.offers.analyse.connections import Connections
from lib.offers.analyse.options import AnalyseOptions, ModelSecrets
from lib.offers.analyse.prompt import Message
from lib.throttle import retry_after

ANSWER_BYTES = 2_000_000
"""An answer is refused beyond this size."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 120.0
"""Seconds before the second attempt (doubled each time), and the most that the service may ask us to wait."""
MOST_TOKENS = 100_000_000
"""A count of tokens beyond is none."""

CLOSED = "The model was not asked to the end: its connection was closed meanwhile."

Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Reply:
    """What the model says."""

    text: str
    is_cut: bool
    """Whether it had more to say than it was allowed to."""
    is_refusal: bool
    tokens_in: int
    tokens_out: int


class Chat:
    """Asks one model; used by any number of threads, closed at the end or in the middle.

    Without a `sleep` of its own it waits until it is closed at most.
    """

    def __init__(self, secrets: ModelSecrets, model: str, options: AnalyseOptions, sleep: Sleep | None = None) -> None:
        self._model = model
        self._options = options
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._connections = Connections()
        self._manner = 0
        self._answers = 0
        """So many there were: it may count too few where two come at once, but never none."""
        self._client = openai.OpenAI(
            api_key=secrets.api_key,
            base_url=secrets.url,
            max_retries=0,
            timeout=httpx2.Timeout(options.timeout, connect=min(30.0, options.timeout)),
            # The key goes to no other address; an answer that grows when it is unpacked has no limit.
            http_client=httpx2.Client(
                follow_redirects=False,
                headers={"Accept-Encoding": "identity"},
                event_hooks={"request": [self._connections.watch], "response": [self._limit]},
            ),
        )

    def ask(self, messages: Sequence[Message], schema: Mapping[str, Any]) -> Reply:
        """Have the model answer, in JSON of that schema where the service can hold it to that.

        Raises InputError when the service does not take these messages, or fails at them again and again while it
        answers others; and UnavailableError when it cannot be asked (any more), in words without the key.
        """
        manners = _manners(schema, self._options.answer_tokens)
        for number in range(self._manner, len(manners)):
            try:
                reply = self._with_patience(messages, manners[number])
            except _NotSoError:
                continue
            # Each service knows other parameters: what it takes once it takes again.
            self._manner = number
            self._answers += 1
            return reply
        raise InputError("The model's service does not take this request: is the offer too long, or not allowed there?")

    def close(self) -> None:
        """End waits at once and requests soon: those who ask in other threads are told by an UnavailableError.

        A connection that is only being made ends when it is made, or after its time-out.
        """
        self._closed.set()
        self._connections.hang_up()
        self._client.close()

    def _with_patience(self, messages: Sequence[Message], manner: Mapping[str, Any]) -> Reply:
        """Ask until there is an answer: longer and longer waits, with a random part so that many askers spread out."""
        attempts, before = self._options.attempts, self._answers
        for attempt in range(1, attempts + 1):
            try:
                return self._once(messages, manner)
            except _AgainError as error:
                if attempt == attempts:
                    words = f"{error} It was asked {attempts} times." if attempts > 1 else str(error)
                    # An offer at which the service fails alone must not keep all others from being marked, ever.
                    is_alone = self._answers > before and not error.is_busy
                    raise (InputError if is_alone else UnavailableError)(words) from None
                if error.wait is not None and error.wait > LONGEST_WAIT:
                    raise UnavailableError(f"{error} It asks for a wait of {error.wait:.0f} s.") from None
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 (no secret: it spreads the askers)
                wait = error.wait if error.wait is not None else FIRST_WAIT * 2 ** (attempt - 1) * jitter
                self._sleep(min(LONGEST_WAIT, wait))
        raise AssertionError("the last attempt returns or raises")

    def _once(self, messages: Sequence[Message], manner: Mapping[str, Any]) -> Reply:
        if self._closed.is_set():
            raise UnavailableError(CLOSED)
        body = {"model": self._model, "messages": list(messages), **manner}
        # The errors of the package hold the request: `from None` keeps it out of tracebacks.
        try:
            response = self._client.post("/chat/completions", body=body, cast_to=httpx2.Response)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised again
            # A client that is closed while it is used fails in any way.
            raise UnavailableError(CLOSED) if self._closed.is_set() else self._meaning(error) from None
        return _reply(response.content)

    def _meaning(self, error: Exception) -> Exception:
        """Return what an error of the package means; any other one is returned as it is."""
        match error:
            case openai.APITimeoutError():
                return _AgainError(f"The model did not answer within {self._options.timeout:g} s.")
            case openai.APIStatusError():
                return _refusal(error)
            case openai.APIConnectionError():
                return _AgainError(f"The model's service cannot be reached ({type(error.__cause__).__name__}).")
        return error

    def _limit(self, response: httpx2.Response) -> None:
        """Have the answer refused when it is too long, or comes too slowly."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise UnavailableError("The model's service packs its answers though it was asked not to.")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _Limited(response.stream, time.monotonic() + self._options.timeout)


class _Limited(httpx2.SyncByteStream):
    """An answer up to its limits."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._stream:
            size += len(part)
            if size > ANSWER_BYTES:
                raise UnavailableError("The model's service gives an answer that is far too large.")
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer comes too slowly")
            yield part

    def close(self) -> None:
        self._stream.close()


class _AgainError(Exception):
    """It failed in a way that may pass."""

    def __init__(self, words: str, wait: float | None = None, *, is_busy: bool = False) -> None:
        super().__init__(words)
        self.wait = wait
        """What the service asks for, in seconds."""
        self.is_busy = is_busy
        """Whether it has too much to do, whatever it is asked."""


class _NotSoError(Exception):
    """The service does not take the request as it is: perhaps without what not every service knows."""


def _manners(schema: Mapping[str, Any], tokens: int) -> tuple[dict[str, Any], ...]:
    """Return the parameters to ask with, from what the newest services take to what the plainest do."""
    strict = {"type": "json_schema", "json_schema": {"name": "marks", "strict": True, "schema": schema}}
    loose = {"type": "json_object"}
    return (
        {"response_format": strict, "max_completion_tokens": tokens},
        {"response_format": loose, "max_completion_tokens": tokens},
        {"response_format": loose, "max_tokens": tokens},
        {"max_tokens": tokens},
    )


REFUSALS = {
    401: "The model's service does not accept the key: check OPENAI_API_KEY, or the block `model`.",
    402: "The model's service asks for payment: check the account.",
    403: "The model's service does not allow this with the key: check the account.",
    404: "There is no such model, or nothing answers at its address: check the settings and the block `model`.",
}
"""What people are told; the answer's own text is not repeated, since it may repeat the request."""
TOO_MUCH = frozenset({"context_length_exceeded", "content_filter", "content_policy_violation"})
"""Codes of refusals that are about the messages, however they are asked."""


def _refusal(error: openai.APIStatusError) -> Exception:
    """Return what a status means: that it may pass, that this offer or this manner is not taken, or that nothing is."""
    status = error.status_code
    if status == 429 and error.code == "insufficient_quota":
        return UnavailableError("The credit at the model's service is used up: check the account.")
    if status in {408, 409, 429} or status >= 500:
        wait = retry_after(error.response.headers.get("Retry-After"), datetime.now(UTC))
        if status == 429:
            return _AgainError("The model's service is busy (429).", wait, is_busy=True)
        return _AgainError(f"The model's service is out of order ({status}).", wait)
    if status == 413 or error.code in TOO_MUCH:
        return InputError("The model's service does not take this offer: it is too long, or not allowed there.")
    if status in {400, 415, 422}:
        return _NotSoError()
    if 300 <= status < 400:
        return UnavailableError("The model's address sends on to another one, to which the key does not go: check it.")
    return UnavailableError(REFUSALS.get(status, f"The model's service refuses the request ({status})."))


def _reply(content: bytes) -> Reply:
    """Return what an answer says; raises UnavailableError when it is none of a chat."""
    try:
        answer = json.loads(content)
        choice = answer["choices"][0]
        message = choice["message"]
        usage = answer.get("usage") or {}
        text, refusal = message.get("content"), message.get("refusal")
        ended = choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UnavailableError("What answers at the model's address is no chat like OpenAI's: check it.") from None
    return Reply(
        text=text if isinstance(text, str) else "",
        is_cut=ended == "length",
        is_refusal=bool(refusal) or ended == "content_filter",
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
    )


def _count(usage: object, name: str) -> int:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and 0 <= count <= MOST_TOKENS else 0
