"""What OpenAPI says of the API is true: schemathesis asks what it allows and what it forbids, of a real console."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lib.console.app import create_app
from lib.settings import Settings

MANY = 40
"""Examples of each operation, besides those that schemathesis makes of the bounds of every field."""


api = schemathesis.openapi.from_dict(create_app(Settings(), {}).openapi())
STREAMS = "/events$"
"""These do not end."""


def says_all(case: Any) -> bool:
    """Whether OpenAPI says all of what an operation takes; it does not know parameters and phases of a workflow."""
    return case.method == "GET" and "/logs" not in case.path


@api.exclude(path_regex=STREAMS).parametrize()
@settings(max_examples=MANY, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_every_operation_does_what_it_says(console: httpx.Client, ended: dict[str, str], case: Any) -> None:
    case.call_and_validate(
        base_url=str(console.base_url), excluded_checks=[] if says_all(case) else [positive_data_acceptance]
    )


def test_the_description_is_complete(console: httpx.Client) -> None:
    described = console.get("/api/v1/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (method, path)
            assert operation["operationId"].isidentifier()
            for status, answer in operation["responses"].items():
                kinds = set(answer["content"])
                assert kinds == {"application/problem+json"} if int(status) >= 400 else "problem" not in str(kinds)
    assert "HTTPValidationError" not in described["components"]["schemas"]
