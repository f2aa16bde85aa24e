"""GET /api/v1/workflows: what can be run, and the phases that it has."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from lib.console.context import Here

router = APIRouter(prefix="/api/v1/workflows", tags=["workflows"])


class PhasePlan(BaseModel):
    """A declared phase of a workflow."""

    number: int
    key: str
    name: str
    environment: str = Field(description="The set of packages that it runs with.")
    after: tuple[str, ...] = Field(description="Keys of the phases that end before it starts.")
    needs: tuple[str, ...] = Field(description="Keys of the phases without whose results it is skipped.")


class WorkflowPlan(BaseModel):
    """A workflow that can be run."""

    key: str
    name: str
    subject: str = Field(description="The parameter that says what a run is about.")
    phases: list[PhasePlan]


class WorkflowList(BaseModel):
    """All workflows; there are few, so they are on one page."""

    items: list[WorkflowPlan]


@router.get("")
async def workflows(console: Here) -> WorkflowList:
    """List the workflows that can be run."""
    items = [
        WorkflowPlan(
            key=workflow.key,
            name=workflow.name,
            subject=workflow.subject,
            phases=[
                PhasePlan(
                    number=phase.number,
                    key=phase.key,
                    name=phase.name,
                    environment=phase.environment,
                    after=phase.after,
                    needs=phase.needs,
                )
                for phase in workflow.phases
            ],
        )
        for workflow in console.workflows.values()
    ]
    return WorkflowList(items=items)
