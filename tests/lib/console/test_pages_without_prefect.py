"""The pages while the Prefect server is away."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/runs", "/runs/latest", "/system"])
def test_it_is_said_in_words(lonely: httpx.Client, path: str) -> None:
    answer = lonely.get(path, headers={"accept-language": "fr"})
    assert answer.status_code == 503
    assert "Prefect est injoignable" in answer.text
    assert "regie up" in answer.text
