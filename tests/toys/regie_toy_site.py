"""A web site of this test: what answers each path is said before, and what was asked is kept.

    with site({"/job": Answer("<title>Baker</title>")}) as server:
        fetch(server.url("/job"))
    server.requests  # every request, in the order in which they came

A path answers with an Answer, with each of a list in turn (the last one from then on), or with what a function makes of
the request. A path may come with a query, which is tried first. All others are 404.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What the site says to a request."""

    body: str | bytes | Iterable[bytes] = b""
    """Pieces go out one by one, as chunks, `pause` seconds apart."""
    status: int = 200
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    kind: str | None = HTML
    """Content type; None says nothing of it."""
    pause: float = 0
    hold: threading.Event | None = None
    """What the answer waits for."""
    raw: bytes | Iterable[bytes] | None = None
    """Bytes that go out as they are, instead of anything that is HTTP; then the connection ends."""
    close: bool = False
    """Whether the connection ends after it, without a word of that."""


@dataclass(frozen=True)
class Request:
    """What the site was asked."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes = field(default=b"", repr=False)


Route = Answer | Sequence[Answer] | Callable[[Request], Answer]


class Site:
    """A running site; `routes` may be changed while it runs."""

    def __init__(self, routes: Mapping[str, Route], port: int, scheme: str) -> None:
        self.routes = dict(routes)
        self.port = port
        self.scheme = scheme
        self.requests: list[Request] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._turns: dict[str, int] = {}
        self._lock = threading.Lock()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return the address of a path of this site."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """What was asked, robots.txt left out."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            name = request.path if request.path in self.routes else urlsplit(request.path).path
            route = self.routes.get(name, Answer("Not here", 404))
            turn = self._turns.get(name, 0)
            self._turns[name] = turn + 1
        if isinstance(route, Answer):
            return route
        return route(request) if callable(route) else route[min(turn, len(route) - 1)]


@contextmanager
def site(routes: Mapping[str, Route] | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Run a site on a free port of 127.0.0.1 until the end of the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.tls = tls
    server.site = Site(routes or {}, server.server_address[1], "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.site.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    site: Site
    tls: ssl.SSLContext | None

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients go away in the middle, and that is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.site.connections += 1
        super().setup()

    def finish(self) -> None:
        super().finish()
        if self.server.tls:
            self.request.close()

    def log_message(self, *args: object) -> None:
        """Keep quiet: what was asked is in `requests`."""

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.site.answer(Request(self.command, self.path, headers, self.rfile.read(size)))
        with suppress(OSError):  # the client may have gone
            self._send(answer)

    do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _send(self, answer: Answer) -> None:
        stopping = self.server.site.stopping
        while answer.hold and not answer.hold.wait(0.01) and not stopping.is_set():
            pass
        if answer.raw is not None:
            self.close_connection = True
            for piece in [answer.raw] if isinstance(answer.raw, bytes) else answer.raw:
                self.wfile.write(piece)
                if stopping.wait(answer.pause):
                    break
            return
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        if answer.kind:
            self.send_header("Content-Type", answer.kind)
        items = answer.headers.items() if isinstance(answer.headers, Mapping) else answer.headers
        for name, value in items:
            self.send_header(name, value)
        whole = isinstance(body, bytes)
        if whole:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD" and answer.status not in {204, 304}:
            for piece in [body] if whole else self._chunks(body):
                self.wfile.write(piece)
                if answer.pause and stopping.wait(answer.pause):
                    break
        self.close_connection = self.close_connection or answer.close

    @staticmethod
    def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        yield b"0\r\n\r\n"
