from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.video.audio.scoring import error_rate, read_rttm
from lib.video.audio.segments import Segment, tidy

pytest.importorskip("scipy", reason="scoring takes scipy, which is in the environment audio")

DURATION = 10.0


def conversations(names: str) -> st.SearchStrategy[list[Segment]]:
    built = st.builds(
        lambda start, length, who: Segment(start / 8, (start + length) / 8, who),
        st.integers(0, 72),
        st.integers(1, 30),
        st.sampled_from(names),
    )
    return st.lists(built, min_size=1, max_size=8)


def by_counting(reference: list[Segment], found: list[Segment]) -> float:
    """The definition: over all mappings of speakers, the least share of wrong speech, eighth by eighth."""
    told = sorted({each.speaker for each in reference})
    heard: list[str | None] = sorted({each.speaker for each in found})
    heard += [None] * len(told)
    total, best = 0, None
    moments = []
    for eighth in range(80):
        at = eighth / 8 + 1 / 16
        truth = {each.speaker for each in reference if each.start <= at < each.end}
        guess = {each.speaker for each in found if each.start <= at < each.end}
        moments.append((truth, guess))
        total += len(truth)
    for chosen in set(permutations(heard, len(told))):
        mapping = dict(zip(told, chosen, strict=True))
        wrong = sum(
            max(len(truth), len(guess)) - sum(mapping[who] is not None and mapping[who] in guess for who in truth)
            for truth, guess in moments
        )
        best = wrong if best is None else min(best, wrong)
    return (best or 0) / total


@settings(max_examples=60)
@given(conversations("abc"), conversations("xyz"))
def test_it_is_the_least_share_of_wrong_speech(reference: list[Segment], found: list[Segment]) -> None:
    assert error_rate(reference, found, DURATION).rate == pytest.approx(
        by_counting(tidy(reference, 10), tidy(found, 10))
    )


@given(conversations("abc"))
def test_the_reference_itself_is_right_under_any_names(reference: list[Segment]) -> None:
    renamed = [Segment(each.start, each.end, {"a": "z", "b": "a", "c": "q"}[each.speaker or ""]) for each in reference]
    assert error_rate(reference, renamed, DURATION).rate == pytest.approx(0.0)


@given(conversations("abc"))
def test_hearing_nothing_misses_everything(reference: list[Segment]) -> None:
    found = error_rate(reference, [], DURATION)
    assert found.missed == pytest.approx(found.total)
    assert found.rate == pytest.approx(1.0)


def test_silence_heard_as_silence_is_right_and_speech_heard_in_silence_is_wrong() -> None:
    assert error_rate([], [], DURATION).rate == 0.0
    assert error_rate([], [Segment(1.0, 2.0, "a")], DURATION).rate == 1.0


@settings(max_examples=30, deadline=None)
@given(conversations("abc"), conversations("xyz"))
def test_it_agrees_with_pyannote_metrics(reference: list[Segment], found: list[Segment]) -> None:
    metrics = pytest.importorskip("pyannote.metrics.diarization", reason="pyannote.metrics is not installed here")
    core = pytest.importorskip("pyannote.core")

    def annotation(segments: list[Segment]) -> object:
        made = core.Annotation()
        for track, each in enumerate(tidy(segments, DURATION)):
            made[core.Segment(each.start, each.end), track] = each.speaker
        return made

    whole = core.Timeline([core.Segment(0, DURATION)])
    theirs = metrics.DiarizationErrorRate()(annotation(reference), annotation(found), uem=whole, detailed=True)
    ours = error_rate(reference, found, DURATION)
    assert ours.rate == pytest.approx(theirs["diarization error rate"])
    assert ours.missed == pytest.approx(theirs["missed detection"])
    assert ours.false_alarm == pytest.approx(theirs["false alarm"])
    assert ours.confusion == pytest.approx(theirs["confusion"])


def test_a_reference_is_read_by_the_name_of_its_recording(tmp_path: Path) -> None:
    path = tmp_path / "two.rttm"
    path.write_text(
        "SPEAKER one 1 1.500 2.250 <NA> <NA> anna <NA> <NA>\n"
        "SPKR-INFO one 1 <NA> <NA> <NA> unknown anna <NA> <NA>\n"
        "SPEAKER two 1 0.000 9.000 <NA> <NA> bert <NA> <NA>\n\n",
    )
    assert read_rttm(path, "one") == [Segment(1.5, 3.75, "anna")]
