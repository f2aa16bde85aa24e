"""When a workflow runs by itself."""

from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _known(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; one is written as in Europe/Paris") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known)]
"""A name of the IANA database."""


class Schedule(BaseModel):
    """When a workflow runs by itself: at the times of a cron line, or every so many seconds.

    A workflow declares the one that suits it, the setting `schedules` changes it or gives it one. It is off until it is
    switched on there or in Prefect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cron: str | None = Field(
        default=None, description="Minute, hour, day of the month, month and day of the week: `0 3 * * *`."
    )
    interval: float | None = Field(default=None, ge=1, description="Seconds from one start to the next.")
    timezone: TimeZone | None = Field(default=None, description="Time zone of the times of `cron`; else UTC.")
    active: bool | None = Field(
        default=None,
        description="On or off at every start of Régie; when not set, as it was switched last, at first off.",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of its runs; for the others, the workflow's defaults."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.cron is not None and self.interval is not None:
            raise ValueError("give cron or interval, not both")
        return self

    def over(self, declared: "Schedule | None") -> "Schedule":
        """Return this schedule, with what it leaves open as in `declared`; ValueError when it then has no times."""
        known = {} if declared is None else declared.model_dump(exclude_none=True)
        said = self.model_dump(exclude_none=True, exclude_defaults=True)
        if said.keys() & {"cron", "interval"}:
            known = {name: value for name, value in known.items() if name not in {"cron", "interval"}}
        merged = Schedule.model_validate({**known, **said})
        if merged.cron is None and merged.interval is None:
            raise ValueError("it has no schedule of its own: give cron or interval")
        return merged
