import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lib.runs.schedule import Schedule

NIGHTLY = Schedule(cron="0 3 * * *", timezone="Europe/Paris", parameters={"source": "/films"})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"cron": "0 3 * * *", "interval": 60}, "not both"),
        ({"timezone": "Paris"}, "no time zone 'Paris'"),
        ({"timezone": "../../etc/passwd"}, "no time zone"),
        ({"interval": 0.5}, "greater than or equal to 1"),
        ({"corn": "0 3 * * *"}, "corn"),
    ],
)
def test_what_is_no_schedule_is_refused_in_words(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Schedule.model_validate(wrong)


def test_what_a_setting_leaves_open_is_as_the_workflow_declared_it() -> None:
    assert Schedule(active=True).over(NIGHTLY) == NIGHTLY.model_copy(update={"active": True})
    assert Schedule(interval=60).over(NIGHTLY) == Schedule(
        interval=60, timezone="Europe/Paris", parameters={"source": "/films"}
    )
    assert Schedule(cron="5 * * * *").over(None) == Schedule(cron="5 * * * *")


def test_a_workflow_without_times_is_not_switched_on() -> None:
    with pytest.raises(ValueError, match="no schedule of its own"):
        Schedule(active=True).over(None)


@given(
    st.builds(Schedule, interval=st.none() | st.floats(1, 1e6), active=st.none() | st.booleans()),
    st.sampled_from([NIGHTLY, Schedule(interval=5), Schedule(cron="* * * * *")]),
)
def test_what_a_setting_says_wins_and_there_is_always_one_kind_of_times(said: Schedule, declared: Schedule) -> None:
    merged = said.over(declared)
    assert (merged.cron is None) != (merged.interval is None)
    assert said.interval is None or merged.interval == said.interval
    assert merged.active == said.active
    assert merged.over(declared) == merged
