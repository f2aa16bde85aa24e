"""What a project remembers of where it came from, so that a second run knows it again."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, ValidationError

from lib.files import replacing

MANIFEST = ".regie-project.json"


class Incoming(BaseModel):
    """One video of the user, as it was when it came in."""

    file: str = Field(description="Its name in the source.")
    size: int
    mtime_ns: int
    name: str = Field(description="The name that it got in the project; later phases may have replaced it.")

    @classmethod
    def of(cls, file: Path, name: str) -> Self:
        """Describe a file as it is now."""
        status = file.stat()
        return cls(file=as_text(file.name), size=status.st_size, mtime_ns=status.st_mtime_ns, name=name)


class Manifest(BaseModel):
    """The content of `.regie-project.json`."""

    kind: str
    source: str = Field(description="Where the source lies, or lay when it was last seen.")
    name: str = Field(description="The name of the project when it was made.")
    size: int
    mtime_ns: int
    sha256: str | None = Field(default=None, description="Of an archive (all volumes in their order) or a video.")
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    files: list[Incoming] = Field(default_factory=list, description="The videos that came in from outside an archive.")

    @classmethod
    def read(cls, project: Path) -> Self | None:
        """Return the manifest of a project; None when it has none that can be read."""
        try:
            return cls.model_validate_json((project / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, project: Path) -> None:
        """Write the manifest into the project's folder."""
        with replacing(project / MANIFEST) as temporary:
            temporary.write_text(self.model_dump_json(indent=1), encoding="utf-8")


def as_text(path: str | os.PathLike[str]) -> str:
    """Return a path as text that JSON can hold: bytes that are not UTF-8 are written as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
