"""The workflows that Régie knows: a new one is one line here."""

from lib.runs.plan import Workflow
from lib.video.plan import VIDEO

WORKFLOWS: dict[str, Workflow] = {workflow.key: workflow for workflow in (VIDEO,)}
