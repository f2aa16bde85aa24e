"""Errors of the console as problem details (RFC 9457): what happened, to what, and what to do."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from lib.errors import InputError, UnavailableError
from lib.runs.control import RefusedError
from lib.runs.plan import PlanError
from lib.runs.reader import RunNotFoundError
from lib.runs.server import ServerError

logger = logging.getLogger("regie.console")

MEDIA_TYPE = "application/problem+json"
UNREACHABLE = "The Prefect server does not answer. `regie up` starts it; its log is server.log in Régie's run folder."


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where it is: `query.limit`, `body.parameters.source`.")
    detail: str


class Problem(BaseModel):
    """A problem as RFC 9457 has it; its type is `about:blank`: the status says which kind of problem it is."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    errors: list[FieldProblem] = []


class ProblemError(Exception):
    """A request is answered with a problem."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers

    def response(self) -> JSONResponse:
        """Return the answer that says it."""
        problem = Problem(
            title=HTTPStatus(self.status).phrase, status=self.status, detail=self.detail, errors=list(self.errors)
        )
        return JSONResponse(
            problem.model_dump(exclude_defaults=True) | {"type": problem.type},
            self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how a route declares in OpenAPI that it may answer with problems of these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Have every error of an application answered with a problem, and have its OpenAPI say so."""
    for kind, explain in EXPLANATIONS.items():
        app.add_exception_handler(kind, _handler(explain))
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        schema = describe()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for model in (FieldProblem, Problem):
            schemas[model.__name__] = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas[model.__name__].pop("$defs", None)
        # FastAPI declares a form of its own for what it finds wrong with a request.
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for path in schema["paths"].values():
            for operation in path.values():
                if 422 in operation["responses"] or "422" in operation["responses"]:
                    operation["responses"] |= {str(status): each for status, each in declared(422).items()}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _handler(explain: Callable[[Any], ProblemError]) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(request: Request, error: Exception) -> JSONResponse:
        problem = explain(error)
        response = problem.response()
        if problem.status == 405:
            response.headers["allow"] = ", ".join(_allowed(request))
        return response

    return handle


def _allowed(request: Request) -> list[str]:
    """Return the methods that an address takes; Starlette names those of the first route there alone."""
    return [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def _same(error: ProblemError) -> ProblemError:
    return error


def _missing_run(error: RunNotFoundError) -> ProblemError:
    return ProblemError(404, str(error))


def _http(error: HTTPException) -> ProblemError:
    words = {
        400: "The body of the request is no JSON.",
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
    }
    return ProblemError(error.status_code, words.get(error.status_code, error.detail), headers=error.headers)


def _invalid(error: RequestValidationError) -> ProblemError:
    errors = [
        FieldProblem(field=".".join(str(part) for part in each["loc"]), detail=each["msg"]) for each in error.errors()
    ]
    return ProblemError(422, f"The request is wrong: {errors[0].field}: {errors[0].detail}", errors=errors)


def _unanswered(error: ServerError) -> ProblemError:
    logger.warning("%s", error)
    return ProblemError(503, str(error))


def _conflict(error: RefusedError) -> ProblemError:
    return ProblemError(409, str(error))


def _refused(error: InputError | PlanError) -> ProblemError:
    return ProblemError(422, str(error))


def _unavailable(error: UnavailableError) -> ProblemError:
    return ProblemError(502, str(error))


def _prefect(error: httpx.HTTPError) -> ProblemError:
    logger.warning("Prefect: %s: %s", type(error).__name__, error)
    if isinstance(error, httpx.HTTPStatusError):
        return ProblemError(503, f"The Prefect server answered {error.response.status_code}. Its log says more.")
    return ProblemError(503, UNREACHABLE)


EXPLANATIONS: Mapping[type[Exception], Callable[[Any], ProblemError]] = {
    ProblemError: _same,
    RunNotFoundError: _missing_run,
    HTTPException: _http,
    RequestValidationError: _invalid,
    ServerError: _unanswered,
    RefusedError: _conflict,
    InputError: _refused,
    PlanError: _refused,
    UnavailableError: _unavailable,
    httpx.HTTPError: _prefect,
}
"""How each kind of error becomes a problem."""
