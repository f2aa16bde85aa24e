"""How long the routes of the console take: the last requests of each, and a histogram for Prometheus."""

import time
from collections import deque
from collections.abc import Sequence
from statistics import quantiles

from prometheus_client import CollectorRegistry, Histogram
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WINDOW = 500
"""Requests of a route that its median and 95th percentile are taken from."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
UNKNOWN = "(no route)"
"""What stands for every path that is no route: paths from outside must not become names of rows."""


class RouteTiming(BaseModel):
    """What the last requests of one route took, in seconds."""

    route: str = Field(description="Method and path: `GET /api/v1/runs`.")
    requests: int = Field(ge=0, description="Requests since the console started.")
    median: float = Field(ge=0)
    p95: float = Field(ge=0)
    slowest: float = Field(ge=0)


class Timings:
    """The timings of one console; bounded by its routes, whatever is asked of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._last: dict[str, deque[float]] = {}
        self._count: dict[str, int] = {}
        self._histogram = Histogram(
            "regie_console_request_seconds",
            "Duration of the console's answers.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        name = f"{method} {route}"
        self._last.setdefault(name, deque(maxlen=WINDOW)).append(seconds)
        self._count[name] = self._count.get(name, 0) + 1
        self._histogram.labels(method, route, str(status)).observe(seconds)

    def rows(self) -> list[RouteTiming]:
        """Return the timings of every route that was asked for, by name."""
        return [
            RouteTiming(
                route=name,
                requests=self._count[name],
                median=percentile(last, 50),
                p95=percentile(last, 95),
                slowest=max(last),
            )
            for name, last in sorted(self._last.items())
        ]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile (1 to 99) of values of which there is at least one."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


class TimingMiddleware:
    """Times every answer to its end, except streams of events, which end when somebody leaves."""

    def __init__(self, app: ASGIApp, timings: Timings) -> None:
        self.app = app
        self.timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note how long its answer took."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, streams = 500, False

        async def watch(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(
                    name.lower() == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in message["headers"]
                )
            await send(message)

        started = time.perf_counter()
        try:
            await self.app(scope, receive, watch)
        finally:
            if not streams:
                method, route = scope["method"], getattr(scope.get("route"), "path", UNKNOWN)
                if route == UNKNOWN or status == 405:  # nor must methods that somebody made up
                    method, route = "ANY", UNKNOWN
                self.timings.add(method, route, status, time.perf_counter() - started)
