"""The page of blocks tells of each, as it is."""

from pathlib import Path

import pytest

from blocks.registry import BLOCKS
from blocks.service import ServiceBlock

PAGE = (Path(__file__).resolve().parents[2] / "docs/blocks.md").read_text()


def named(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@pytest.mark.parametrize("kind", BLOCKS.values(), ids=list(BLOCKS))
def test_the_table_has_every_block_with_its_fields_and_variables(kind: type[ServiceBlock]) -> None:
    open_fields = [name for name in kind.fields() if not kind.is_secret(name)]
    secret = [name for name in kind.fields() if kind.is_secret(name)]
    row = f"| `{kind.key}` | {kind.used_for} | {named(open_fields)} | {named(secret)} | {named(kind.variables)} |"
    assert row in PAGE


@pytest.mark.parametrize("key", BLOCKS)
def test_it_says_what_is_tried(key: str) -> None:
    tried = PAGE.partition("## What is tried")[2]
    assert f"| `{key}` | " in tried
