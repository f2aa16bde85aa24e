"""A server on this machine that behaves as services of language models do: `/v1/chat/completions` and `/v1/models`."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "sk-0123456789-very-secret"
MODEL = "toy-1"


@dataclass
class Says:
    """What the server says to one request, in place of what it would say by itself."""

    status: int = 200
    body: bytes = b""
    """The whole body; when empty, an answer of a chat is made of what follows."""
    content: str | None = None
    refusal: str | None = None
    finish_reason: str = "stop"
    usage: Mapping[str, object] | None = field(
        default_factory=lambda: {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
    )
    code: str | None = None
    """Code of an error."""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    """Waited for in the middle of the body."""
    drop: bool = False
    """Whether the connection ends in the middle of the body."""
    drip: float = 0
    """Seconds between the bytes of the body."""

    def encoded(self) -> bytes:
        if self.body:
            return self.body
        if self.status != 200:
            error = {"message": f"No, {KEY}!", "type": "error", "code": self.code}
            return json.dumps({"error": error}).encode()
        message = {"role": "assistant", "content": self.content, "refusal": self.refusal}
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
            "usage": self.usage,
        }
        return json.dumps(answer).encode()


@dataclass
class Asked:
    """What one request brought."""

    path: str
    key: str
    encoding: str
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, str]]:
        return self.body["messages"]

    @property
    def offer(self) -> dict[str, str]:
        """The offer that the user's message holds."""
        found: dict[str, str] = json.loads(self.messages[1]["content"].splitlines()[1])
        return found


class Model:
    """Says what it is told, in order, the last again and again; told nothing, it marks as `marks` has it.

    By itself it gives every criterion of the profile the mark 3. It refuses parameters in `unknown`, as services do
    that do not know them.
    """

    def __init__(self) -> None:
        self.says: list[Says] = []
        self.asked: list[Asked] = []
        self.unknown: set[str] = set()
        self.models = [MODEL]
        self.marks: Callable[[Asked], Mapping[str, int | None]] = lambda asked: dict.fromkeys(criteria(asked), 3)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"model": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answers(self, *says: Says) -> None:
        """Say this, in order, and the last again and again."""
        self.says = list(says)

    def reply(self, asked: Asked) -> Says:
        with self._lock:
            self.asked.append(asked)
            if asked.key != KEY:
                return Says(401, code="invalid_api_key")
            if self.unknown & parameters(asked.body):
                return Says(400, code="unsupported_parameter")
            if self.says:
                return self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return Says(content=answer(self.marks(asked)))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def answer(marks: Mapping[str, int | float | None], reason: str = "The offer says so.", **more: object) -> str:
    """Return the content of an answer with these marks."""
    told = [{"criterion": name, "reason": reason, "mark": mark} for name, mark in marks.items()]
    return json.dumps({"marks": told, **more})


def criteria(asked: Asked) -> list[str]:
    """Return the names of the criteria that a request asks for."""
    text = asked.messages[0]["content"]
    profile, _ = json.JSONDecoder().raw_decode(text, text.index("\n{") + 1)
    return [each["name"] for each in profile["criteria"]]


def parameters(body: Mapping[str, Any]) -> set[str]:
    """Return the parameters of a request; `json_schema` and `json_object` count as ones."""
    kind = body.get("response_format", {}).get("type")
    return {*body, *([kind] if kind else [])}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    model: Model
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self._asked({})
        self.model.asked.append(asked)
        if asked.key != KEY:
            self._send(Says(401))
        elif self.path == "/v1/models":
            models = [{"id": name, "object": "model"} for name in self.model.models]
            self._send(Says(body=json.dumps({"object": "list", "data": models}).encode()))
        else:
            self._send(Says(404))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = self._asked(body)
        self._send(self.model.reply(asked) if self.path == "/v1/chat/completions" else Says(404))

    def _asked(self, body: dict[str, Any]) -> Asked:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return Asked(self.path, key, self.headers.get("Accept-Encoding", ""), body)

    def _send(self, says: Says) -> None:
        body = says.encoded()
        self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2
        try:
            for at in range(half if says.drip else 0):
                self.wfile.write(body[at : at + 1])
                self.wfile.flush()
                threading.Event().wait(says.drip)
            self.wfile.write(b"" if says.drip else body[:half])
            self.wfile.flush()
            if says.hold is not None:
                says.hold.wait(10)
            if says.drop:
                self.close_connection = True
                return
            self.wfile.write(body[half:])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        pass
