"""What a run of `video` works on when it is not told."""

from pathlib import Path
from typing import Any

from lib.settings import Settings
from lib.storage.address import is_url


def parameters(config: Settings) -> dict[str, Any]:
    """Return the parameters of a run that is started with none: from the inbox to the workspace, as the settings say.

    Of the options, those that the settings change.
    """
    return {
        "source": _place(config.inbox) or str(config.home / "inbox"),
        "out": _place(config.workspace) or str(config.home / "video"),
        "options": config.video.model_dump(mode="json", exclude_defaults=True),
    }


def _place(text: str) -> str:
    """Return a folder that means the same to a process that starts in another one; an address as it is."""
    return text if not text or is_url(text) else str(Path(text).expanduser().absolute())
