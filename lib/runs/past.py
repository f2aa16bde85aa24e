"""What past runs tell about how long the phases of a workflow take; pure."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class PastPhase(BaseModel):
    """One phase that completed in a past run."""

    model_config = ConfigDict(frozen=True)

    seconds: float = Field(ge=0, description="From its start to its end.")
    waited: float = Field(
        default=0.0,
        ge=0,
        description="Seconds from when it could start (the last of the phases before it ended; for a first one, the "
        "run started) until it did.",
    )
    work: float = Field(default=0.0, ge=0, description="The size of its items, in the phase's own unit; 0: not known.")
    worked: float = Field(default=0.0, ge=0, description="Of which it really worked on: neither kept nor skipped.")


class PastRun(BaseModel):
    """One past run of a workflow that ended, well or not: the phases that completed in it, by key."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    ended: datetime
    closing: float = Field(default=0.0, ge=0, description="Seconds from the end of its last phase to its own end.")
    phases: Mapping[str, PastPhase]
