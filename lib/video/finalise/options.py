"""How finished projects are copied and archived."""

from pydantic import BaseModel, ConfigDict, Field


class FinaliseOptions(BaseModel):
    """How phase 7 copies a project and keeps its results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    videos: bool = Field(default=True, description="Copy the videos too, not only their results.")
    hard_links: bool = Field(
        default=False,
        description="Link files instead of copying them where the disk can: no space is used, but editing a file in "
        "place in the output then edits it in the project too.",
    )
    archive: bool = Field(default=True, description="Keep the results in the archives, by the content of their video.")
