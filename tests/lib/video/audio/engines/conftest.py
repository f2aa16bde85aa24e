"""A server on this machine that behaves like Lemonfox's."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY = "lf-0123456789-very-secret"


@dataclass
class Answer:
    """What the server says to one request."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    """Waited for before the body goes out."""


@dataclass
class Request:
    """What one request brought."""

    path: str
    key: str
    fields: dict[str, str]
    filename: str
    kind: str
    content: bytes


class Lemonfox:
    """Answers in the order given; the last one again and again. Knows its key, its limit and its fields."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[Request] = []
        self.most_bytes = 100_000_000
        handler = type("Handler", (_Handler,), {"lemonfox": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def says(self, *segments: dict[str, object]) -> None:
        body = {"task": "transcribe", "language": "english", "duration": 30.0, "text": "…", "segments": list(segments)}
        self.answers = [Answer(body=json.dumps(body).encode())]

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Handler(BaseHTTPRequestHandler):
    lemonfox: Lemonfox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields, file = {}, None
        for part in message_from_bytes(head + body, policy=HTTP).iter_parts():
            content = part.get_payload(decode=True)
            if part.get_filename():
                file = (part.get_filename(), part.get_content_type(), content)
            else:
                fields[part.get_param("name", header="Content-Disposition")] = content.decode()
        assert file is not None
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.lemonfox.requests.append(Request(self.path, key, fields, *file))
        if key != KEY:
            answer = Answer(401, b'{"error":{"message":"Incorrect API key provided: ' + key.encode() + b'"}}')
        elif len(file[2]) > self.lemonfox.most_bytes:
            answer = Answer(413, b"Payload Too Large")
        else:
            answer = self.lemonfox.next()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.hold is not None:
            answer.hold.wait(10)
        try:
            self.wfile.write(answer.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        pass


@pytest.fixture
def lemonfox() -> Iterator[Lemonfox]:
    server = Lemonfox()
    yield server
    server.close()


@pytest.fixture
def waits() -> Iterator[tuple[list[float], Callable[[float], None]]]:
    """A list of the waits asked for, and what notes them instead of sleeping."""
    noted: list[float] = []
    return noted, noted.append
