"""The blocks that a person has filled in, on Prefect's server."""

from typing import TypeVar

import httpx
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from pydantic import ValidationError

from blocks.service import ServiceBlock
from lib.errors import UnavailableError
from lib.settings import settings

B = TypeVar("B", bound=ServiceBlock)


def load(kind: type[B], name: str = "") -> B | None:
    """Return the block of a type that the setting `block` names, or `name` does; None when there is none.

    Outside of a run, nothing is asked where no server is set: Prefect would start one. Raises UnavailableError when the
    block cannot be read.
    """
    if not PREFECT_API_URL.value() and FlowRunContext.get() is None:
        return None
    name = name or settings().block
    slug = kind.get_block_type_slug()
    try:
        with get_client(sync_client=True) as client:
            found = client.read_block_document_by_name(name, slug)
    except ObjectNotFound:
        return None
    except httpx.HTTPError as error:
        raise UnavailableError(f"The block {slug}/{name} cannot be read: {type(error).__name__}.") from None
    try:
        return kind.model_validate(found.data)
    except ValidationError as error:
        # Not chained: what is wrong may be a secret.
        fields = ", ".join(f"{'.'.join(map(str, each['loc']))} ({each['msg']})" for each in error.errors())
        raise UnavailableError(f"The block {slug}/{name} is wrong: {fields}. Mend it in Prefect's UI.") from None
