"""A path, or a URL of storage, as a parameter of a run: without a password, for parameters are kept and shown."""

import re
from typing import Annotated

from pydantic import Field

_PASSWORDLESS = r"^(?:[^:]|:(?:[^/]|$)|:/(?:[^/]|$)|://[^/@]*(?:/|$))*$"
"""No `@` between `://` and the next slash. Written without looking ahead, which not every checker of schemas can."""

Location = Annotated[str, Field(pattern=_PASSWORDLESS)]
"""Prefect refuses anything else, from its pages too, before there is a run."""


def holds_password(text: str) -> bool:
    """Whether a text is a URL with a user or a password in it."""
    return re.match(_PASSWORDLESS, text) is None
