"""How archives are found and what they may hold."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40


class ExtractOptions(BaseModel):
    """Which archives are unpacked, and the limits that keep a hostile one from filling the disk.

    The defaults let through hundreds of gigabytes of video, which hardly compresses, and stop what unpacks to far more
    than it is.
    """

    model_config = ConfigDict(extra="forbid")

    keyword: str = Field(
        default="",
        description="Of the archives of a folder, only those whose name holds this (in any case); empty: all.",
    )
    max_ratio: float = Field(
        default=100.0,
        gt=1,
        description="How many times its packed size a member, or all members together, may unpack to.",
    )
    ratio_from_bytes: int = Field(
        default=64 * MIB, ge=0, description="The ratio counts from so many unpacked bytes on: small files may be dense."
    )
    max_member_bytes: int = Field(default=TIB, gt=0, description="The most bytes that one member may unpack to.")
    max_total_bytes: int = Field(default=4 * TIB, gt=0, description="The most bytes that one archive may unpack to.")
    max_skipped_bytes: int = Field(
        default=64 * GIB,
        ge=0,
        description="The most bytes that may be unpacked and thrown away to reach a member behind refused ones.",
    )
    max_members: int = Field(default=500_000, gt=0, description="The most members that an archive may have.")
    max_depth: int = Field(default=32, gt=0, le=200, description="The most folders above a member, and itself.")
    keep_free_bytes: int = Field(
        default=100 * MIB, ge=0, description="Free space that must remain on the disk of the projects."
    )
    flatten: bool = Field(default=True, description="A single top folder is left out of the project.")
    delete_archive: bool = Field(
        default=False,
        description="Delete the archive once every member of it has come out; never when one was refused.",
    )
