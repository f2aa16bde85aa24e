"""The web application: its routes, what they work with, and what stands before them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from prefect.client.orchestration import get_client

from lib.console import events, login, offer_pages, pages, problems
from lib.console.api import actions, health, history, logs, offer_start, offers, runs, system, workflows
from lib.console.context import Console
from lib.console.engines import EngineCheck
from lib.console.hosts import allowed_hosts
from lib.console.metrics import Metrics
from lib.console.security import Guard
from lib.console.sources import hinted, sources
from lib.console.system import Gauge
from lib.console.timings import TimingMiddleware, Timings
from lib.runs.hints import follow
from lib.runs.live import Hub
from lib.runs.plan import Workflow
from lib.settings import Settings

ROUTERS = (
    workflows.router,
    runs.router,
    actions.router,
    logs.router,
    history.router,
    offers.router,
    offer_start.router,
    system.router,
    events.router,
    health.router,
    pages.router,
    offer_pages.router,
    login.router,
)
SECONDS_OF_PREFECT = 10.0
"""How long Prefect's server may take for an answer."""


def create_app(config: Settings, known: Mapping[str, Workflow]) -> FastAPI:
    """Return the application for the runs of the `known` workflows; its Prefect server is that of PREFECT_API_URL."""
    metrics, gauge, check = Metrics(), Gauge(config.home), EngineCheck(known.values())
    timings = Timings(metrics.registry)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with get_client(httpx_settings={"timeout": SECONDS_OF_PREFECT}) as client:
            app.state.console = Console(config, dict(known), client, gauge, check, timings, metrics)
            app.state.hub = hub = Hub(sources(app.state.console))

            def hint(topic: str) -> None:
                for each in hinted(topic):
                    hub.hint(each)

            hints = asyncio.create_task(follow(hint), name="hints of Prefect")
            try:
                yield
            finally:
                hub.close()
                hints.cancel()
                await asyncio.wait([hints])  # it closes its connection

    app = FastAPI(
        title="Régie",
        version=version("regie"),
        description="Runs of production workflows: their truth, live, and control over them.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
    )
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    app.add_middleware(TimingMiddleware, timings=timings)
    app.add_middleware(
        Guard,
        hosts=allowed_hosts(config.console_host, config.console_port, config.console_names),
        port=config.console_port,
        token=config.console_token.get_secret_value() if config.console_token else "",
    )
    return app
