"""Hugging Face's package is told where a token goes before it is imported."""

import subprocess
import sys

import pytest

pytest.importorskip("huggingface_hub", reason="huggingface_hub comes with pyannote.audio, in the environment audio")

CODE = """
from lib.errors import UnavailableError
from lib.video.audio.engines.pyannote import ask_hub_at
ask_hub_at("https://hub.example")
from huggingface_hub import constants
print(constants.ENDPOINT)
try:
    ask_hub_at("https://other.example")
except UnavailableError as error:
    print(error)
"""


def test_a_token_goes_to_the_address_that_it_is_for_or_nowhere() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[0] == "https://hub.example"
    assert "its token is for https://other.example, and this process has asked https://hub.example before" in told[1]
