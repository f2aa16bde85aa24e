"""GET /health and /metrics: for what watches over the console."""

from anyio import move_on_after
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from lib.console.context import Here
from lib.console.problems import UNREACHABLE, ProblemError, declared

router = APIRouter(tags=["watching"])

SECONDS_TO_ANSWER = 2.0
"""Within which the Prefect server has to say that it is well."""


class Health(BaseModel):
    """All is well."""

    status: str = "ok"


@router.get("/health", responses=declared(503))
async def health(console: Here) -> Health:
    """Say that the console is up and the Prefect server answers it."""
    trouble: Exception | None = TimeoutError()
    with move_on_after(SECONDS_TO_ANSWER):
        trouble = await console.client.api_healthcheck()
    if trouble is not None:
        raise ProblemError(503, UNREACHABLE)
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Figures.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(console: Here) -> Response:
    """Give figures to Prometheus."""
    return Response(await console.metrics.read(console.client, console.workflows), media_type=CONTENT_TYPE_LATEST)
