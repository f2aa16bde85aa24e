"""Who may ask the console for what: the host, other sites, the token; and the headers of every answer."""

import hashlib
import hmac
import logging
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.console.problems import ProblemError

logger = logging.getLogger("regie.console")

HEAD_LIMIT = 64 * 1024
"""The most bytes that the address and the headers of a request may have."""
BODY_LIMIT = 256 * 1024
"""The most bytes that the body of a request may have."""
BODY_SECONDS = 10.0
"""How long the body of a request may take to come."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS = frozenset({"/health", "/login"})
OPEN_FOLDER = "/static/"
"""What is shown without the token: that the console is up, and what the page that asks for the token needs."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""Headers of every answer that does not say otherwise."""


def cookie_name(port: int) -> str:
    """Return the name of the cookie that stands for the token; cookies of other ports of this machine come along."""
    return f"regie_console_{port}"


def cookie_value(token: str) -> str:
    """Return what stands for the token in a browser: it shows that the token was known, but not what it is."""
    return hmac.new(token.encode(), b"the token of the console", hashlib.sha256).hexdigest()


class Guard:
    """Refuses what should not reach the console, and puts the headers of safety on every answer.

    Pure ASGI and outermost: streams pass through as they are, and no error inside gets past it.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], port: int, token: str = "") -> None:
        self.app = app
        self.hosts = hosts
        self.port = port
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a problem."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks anything else
            await send({"type": "websocket.close", "code": 1008})
            return
        begun = False

        async def send_safely(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            headers = Headers(scope=scope)
            _check_size(scope)
            self._check_host(scope, headers)
            self._check_site(scope, headers)
            if self._lacks_token(scope, headers):
                await _ask_for_token(scope, headers)(scope, receive, send_safely)
                return
            await self.app(scope, await _bounded_body(scope, receive), send_safely)
        except ProblemError as problem:
            await problem.response()(scope, receive, send_safely)
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if begun:
                raise
            fault = ProblemError(500, "Something went wrong in the console. Its log says what.")
            await fault.response()(scope, receive, send_safely)

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            raise ProblemError(400, f"The request must name the host once; it names {len(hosts)}.")
        if not scope["path"].startswith("/"):
            raise ProblemError(400, "The request must name a path of this host, not a whole address.")
        if hosts[0].lower() not in self.hosts:
            raise ProblemError(
                421,
                "The console is not reached under this name. The setting console_names adds names to those of this "
                "machine.",
            )

    def _check_site(self, scope: Scope, headers: Headers) -> None:
        """Refuse what a page of another site has a browser do; programs that are no browser send neither header."""
        origin = headers.get("origin")
        host = headers["host"].lower()
        foreign = origin not in {None, f"http://{host}", f"https://{host}"}
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            # A link to the console that somebody follows is harmless: it shows a page, and changes nothing.
            page = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            foreign |= not page or scope["method"] not in SAFE_METHODS
        if foreign:
            raise ProblemError(403, "A page of another site asked for this; the console answers only its own.")

    def _lacks_token(self, scope: Scope, headers: Headers) -> bool:
        if not self.token or scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_FOLDER):
            return False
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and equal(given.strip(), self.token):
            return False
        return not equal(_cookie(headers, cookie_name(self.port)), cookie_value(self.token))


def _check_size(scope: Scope) -> None:
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) for name, value in scope["headers"])
    if size > HEAD_LIMIT:
        raise ProblemError(431, f"The address and the headers of a request may have {HEAD_LIMIT} bytes.")


def equal(given: str, known: str) -> bool:
    """Compare what was given with a secret, in a time that tells nothing of it."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), known.encode())


def _ask_for_token(scope: Scope, headers: Headers) -> Response:
    if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/login", 303)
    return ProblemError(
        401,
        "The console asks for its token (setting console_token): send it as `Authorization: Bearer …`.",
        headers={"www-authenticate": 'Bearer realm="regie"'},
    ).response()


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def _bounded_body(scope: Scope, receive: Receive) -> Receive:
    """Read the body of a request before anything works on it: it must not be too long, nor take too long."""
    if scope["method"] in SAFE_METHODS:
        return receive
    chunks: list[bytes] = []
    size, more = 0, True
    with anyio.move_on_after(BODY_SECONDS) as waiting:
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise ProblemError(400, "The request ended before its body.")
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            more = message.get("more_body", False)
            if size > BODY_LIMIT:
                raise ProblemError(413, f"The body of a request may have {BODY_LIMIT} bytes.")
    if waiting.cancelled_caught:
        raise ProblemError(408, f"The body of the request did not come within {BODY_SECONDS:.0f} s.")
    pending: list[Message] = [{"type": "http.request", "body": b"".join(chunks), "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
