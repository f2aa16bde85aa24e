"""The sites of the demonstration: one server on this machine that answers for all of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from deployments.demo_offers.catalogue import Demo, read
from deployments.demo_offers.pages import Shown, document, page


@contextmanager
def served() -> Iterator[dict[str, str]]:
    """Serve the pages of all offers until the end of the block; give what `WebOptions.hosts` is to be.

    With it the client of the web asks this server instead of the real sites, and no other machine is asked at all.
    """
    offers = read()[0]
    server = _Server(("127.0.0.1", 0), _Handler)
    _Handler.answers = {url: offer for offer in offers for url in (_key(offer.address), _key(offer.link))}
    hosts = {urlsplit(url).hostname or "" for offer in offers for url in (offer.address, offer.link)}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="demo-sites", daemon=True)
    thread.start()
    try:
        yield dict.fromkeys(sorted(hosts), f"127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _key(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}?{parts.query}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: a client that is closed lets go of its connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: dict[str, Demo]

    def do_GET(self) -> None:
        """Answer with the page of the offer that is asked for; a tracker leads to it."""
        asked = f"http://{self.headers.get('Host', '')}{self.path}"
        offer = self.answers.get(_key(asked))
        if self.path == "/robots.txt":
            shown, kind = Shown(200, "User-agent: *\nAllow: /\n"), "text/plain"
        elif offer is None:
            status = 200 if "recherche" in self.path else 404
            shown, kind = Shown(status, document("Emplois", "<h1>Nos offres</h1>")), "text/html"
        elif _key(asked) == _key(offer.address):
            shown, kind = page(offer, datetime.now(UTC).date()), "text/html"
        else:
            shown, kind = Shown(302, location=offer.address), "text/html"
        body = shown.body.encode()
        self.send_response(shown.status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if shown.location:
            self.send_header("Location", shown.location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        """Keep quiet: the run tells what happens."""
