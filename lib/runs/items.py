"""The items that a run worked on, for people to look at; the workflow says how to find them."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from lib.runs.plan import PlanError, Workflow

Item = Mapping[str, Any]
"""An item, as a row of a page shows it: texts and figures by name."""


def items_of(workflow: Workflow, parameters: Mapping[str, Any], wanted: Mapping[str, str]) -> Sequence[Item]:
    """Return the items that are `wanted`, of a run with these parameters; it may take seconds.

    What may be wanted is the workflow's own, and how many at most, `limit`.
    Raises PlanError when the workflow has no items, InputError and UnavailableError when they cannot be had.
    """
    module, _, name = workflow.items.partition(":")
    try:
        find = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise PlanError(f"{workflow.key} has no items to look at") from error
    items: Sequence[Item] = find(parameters, wanted)
    return items
