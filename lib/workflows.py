"""The workflows that Régie knows: a new one of its own is one line here, one from elsewhere is a setting."""

import importlib
from functools import cache

from lib.errors import InputError
from lib.offers.plan import OFFERS
from lib.runs.plan import Workflow
from lib.settings import settings
from lib.video.plan import VIDEO

OWN = (VIDEO, OFFERS)


@cache
def workflows() -> dict[str, Workflow]:
    """Return every known workflow by its key: Régie's own, and those that the setting `workflows` names.

    Raises InputError when a declaration that is named cannot be read, or has the key of another.
    """
    known = {workflow.key: workflow for workflow in OWN}
    for place in settings().workflows:
        workflow = _declared(place)
        if workflow.key in known:
            raise InputError(f"The workflow {place} (setting workflows) has the key {workflow.key!r} of another.")
        known[workflow.key] = workflow
    return known


def _declared(place: str) -> Workflow:
    module, _, name = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"There is no workflow {place} (setting workflows): {error}") from error
    if not isinstance(found, Workflow):
        raise InputError(f"{place} (setting workflows) is not a workflow: it is a {type(found).__name__}")
    return found
