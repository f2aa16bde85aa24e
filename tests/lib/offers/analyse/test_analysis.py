from contextlib import closing

import pytest

from lib.errors import UnavailableError
from lib.offers.analyse.analysis import Analysis, Spent, analysed, choose, missing, version
from lib.offers.analyse.options import AnalyseOptions, ModelSecrets
from lib.offers.analyse.profile import Profile
from lib.offers.analyse.scoring import Mark
from lib.offers.offer import Offer
from lib.offers.statuses import Status

SECRETS = ModelSecrets("sk-0123456789", "https://models.example/v1", "large-2")
ANALYSIS = Analysis(80.0, (Mark("Skills", 5, "Python"), Mark("Place", None, "no place is named")), engine="large-2")


def test_the_first_engine_that_can_run_is_chosen(profile: Profile) -> None:
    with closing(choose(AnalyseOptions(), profile, SECRETS)) as engine:
        assert (engine.name, engine.reason) == ("llm", "")


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        (None, "llm: no key: set OPENAI_API_KEY, or fill in the block `model`"),
        (ModelSecrets(""), "llm: no key"),
        (ModelSecrets("sk-0123456789"), "llm: no model is named"),
    ],
)
def test_why_a_preferred_engine_cannot_run_is_said(profile: Profile, secrets: ModelSecrets | None, words: str) -> None:
    with closing(choose(AnalyseOptions(), profile, secrets)) as engine:
        assert engine.name == "embedded"
        assert engine.reason.startswith(words)


def test_the_options_name_the_model_first() -> None:
    options = AnalyseOptions(model="small-1")
    assert missing("llm", options, ModelSecrets("sk-0123456789")) == ""
    assert version("llm", options, SECRETS) == "small-1"
    assert version("llm", AnalyseOptions(), SECRETS) == "large-2"
    assert version("embedded", options, None).startswith("scikit-learn ")


def test_where_no_engine_can_run_all_reasons_are_said(profile: Profile) -> None:
    with pytest.raises(UnavailableError, match=r"oracle: there is no such engine: llm, embedded; llm: no key"):
        choose(AnalyseOptions(engines=["oracle", "llm"]), profile, None)


def test_an_analysed_offer_has_score_reasons_and_the_profile_s_digest(profile: Profile) -> None:
    offer = Offer(link="x", title="Cook", record="rec1", status=Status.TO_ANALYSE, note="Its page was refused (403).")
    after = analysed(offer, ANALYSIS, profile)
    assert (after.status, after.score, after.profile) == (Status.ANALYSED, 80.0, profile.digest)
    assert after.reasons == "Skills: 5/5 – Python\nPlace: not said – no place is named"
    assert after.note == "Its page was refused (403).\nAnalysed by large-2"
    assert (after.link, after.title, after.record) == ("x", "Cook", "rec1")


def test_analysing_again_does_not_make_the_note_longer(profile: Profile) -> None:
    once = analysed(Offer(link="x", note="Its page was refused (403)."), ANALYSIS, profile)
    assert analysed(once, ANALYSIS, profile) == once


def test_the_note_of_an_error_that_was_overcome_is_gone(profile: Profile) -> None:
    after = analysed(Offer(link="x", status=Status.ERROR, note="large-2 refuses."), ANALYSIS, profile)
    assert after.note == "Analysed by large-2"


def test_what_was_spent_is_added_up() -> None:
    assert Spent(1, 0.5) + Spent(2, 0.25) == Spent(3, 0.75)
    assert Spent(1) + Spent(2, 0.25) == Spent(3, 0.25)
    assert Spent(1) + Spent(2) == Spent(3)
