"""What is refused before a server is asked."""

import asyncio
from typing import Any, cast

import pytest

from lib.runs.control import WrongParametersError, start
from lib.video.plan import VIDEO


@pytest.mark.parametrize("name", ["source", "out"])
def test_no_run_is_started_with_a_password_in_a_url(name: str) -> None:
    nobody = cast(Any, None)
    parameters = {"source": "rushes", "out": "films", name: "s3://key:secret@bucket/films"}
    with pytest.raises(WrongParametersError, match=f"^{name} is a URL with a password") as refused:
        asyncio.run(start(nobody, VIDEO, parameters))
    assert "secret" not in str(refused.value)
