"""Which engines can analyse offers is said with the key that a run would have."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.offers.engines import engines
from lib.offers.plan import OFFERS
from lib.runs.engines import engines_of


def test_without_a_key_the_embedded_scorer_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        states = {each.engine: each for each in engines_of(OFFERS)}
    assert states["llm"].missing.startswith("no key: set OPENAI_API_KEY")
    assert states["embedded"].missing == ""
    assert states["embedded"].version.startswith("scikit-learn ")
    assert {each.phase for each in states.values()} == {"analyse"}


def test_with_a_key_and_a_model_s_name_that_model_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    monkeypatch.setenv("OPENAI_MODEL", "large-2")
    llm = next(each for each in engines() if each.engine == "llm")
    assert (llm.missing, llm.version) == ("", "large-2")
