"""What past runs tell about how long the phases of a workflow take; pure."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class PastPhase(BaseModel):
    """One phase that completed in a past run."""

    model_config = ConfigDict(frozen=True)

    seconds: float = Field(ge=0, description="From its start to its end.")
    work: float = Field(default=0.0, ge=0, description="The size of what it worked on, in the phase's own unit.")


class PastRun(BaseModel):
    """One past run of a workflow: the phases that it completed, by key."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    ended: datetime
    phases: Mapping[str, PastPhase]
