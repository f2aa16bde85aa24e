"""The blocks that a person has filled in, on Prefect's server."""

import os
from collections.abc import Iterable, Mapping
from typing import TypeVar

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from pydantic import ValidationError

from blocks.service import ServiceBlock
from lib.errors import UnavailableError
from lib.settings import settings

B = TypeVar("B", bound=ServiceBlock)
ENVIRONMENT = "environment"


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
        raise UnavailableError(f"The block {slug}/{name} is wrong: {trouble(error)}. Fill it in again.") from None


def in_use(kind: type[B], environment: Mapping[str, str] | None = None) -> tuple[B, str] | None:
    """Return what a run would use of a service, and from where: the environment, or the block of that name.

    None when there is neither. Raises UnavailableError when what there is cannot be read.
    """
    try:
        block = kind.from_environment(os.environ if environment is None else environment)
    except ValidationError as error:
        raise UnavailableError(f"What {' or '.join(kind.variables)} holds is wrong: {trouble(error)}.") from None
    if block is not None:
        return block, ENVIRONMENT
    block = load(kind)
    return (block, f"block {settings().block}") if block else None


async def register(client: PrefectClient, kinds: Iterable[type[ServiceBlock]]) -> None:
    """Tell the server of these types of blocks, so that they can be filled in there."""
    for kind in kinds:
        await kind.aregister_type_and_schema(client=client)


def trouble(error: ValidationError) -> str:
    """Say which fields are wrong and why, without what they hold."""
    wrong = error.errors(include_input=False, include_context=False)
    return ", ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}" for each in wrong
    )
