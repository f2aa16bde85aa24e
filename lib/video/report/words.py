"""What a report says besides what every page does: names of phases, rates, places on the time axis, addresses."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from lib.video.report.messages import MESSAGES
from lib.words import Catalogue
from lib.words import Words as SharedWords


@dataclass(frozen=True)
class Words(SharedWords):
    """The messages and formats of a report in one language."""

    messages: ClassVar[Catalogue] = MESSAGES

    def phase(self, key: str) -> str:
        """Return the name of a phase; the key itself of one that is not known here."""
        return self(f"phase_{key}") if f"phase_{key}" in MESSAGES else key

    def rate(self, fps: float) -> str:
        """Return a frame rate: 25, 29.97."""
        return self.number(fps, 0 if abs(fps - round(fps)) < 0.005 else 2)


def clock(seconds: float) -> str:
    """Return a place on the time axis: 3:07, 1:02:03."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def href(path: Path, folder: Path) -> str | None:
    """Return the relative address of a file, seen from a page in `folder`; None when there is none (another drive).

    Every byte that is not plain is percent-encoded, so that any file name is an address; a leading `./` keeps a colon
    in a name from looking like a scheme.
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:
        return None
    return "./" + "/".join(quote(os.fsencode(part), safe="") for part in Path(relative).parts)
