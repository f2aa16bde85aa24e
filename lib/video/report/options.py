"""How a report looks: its language and its pictures."""

from pydantic import BaseModel, ConfigDict, Field

from lib.words import Language


class ReportOptions(BaseModel):
    """How the reports of a video and of a project are written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language = Field(default="en", description="Language of the report: en or fr.")
    thumbnail_width: int = Field(
        default=320, ge=64, le=640, description="Width of a scene's picture, in pixels, when there is room for it."
    )
    quality: int = Field(default=72, ge=10, le=95, description="WebP quality of the pictures, if there is room.")
    picture_bytes: int = Field(
        default=1_200_000,
        ge=100_000,
        le=50_000_000,
        description="All pictures of a report together, in bytes: beyond, they become smaller and coarser.",
    )
    maximum_thumbnails: int = Field(
        default=400, ge=1, le=5000, description="Scenes with a picture: of more, an even sample has one."
    )
