import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs import changes
from lib.runs.changes import ChangeLog

ROWS = st.dictionaries(st.sampled_from("abcdef"), st.fixed_dictionaries({"value": st.integers(0, 3)}))


def catch_up(log: ChangeLog, cursor: int, rows: dict) -> int:
    """Apply what was missed since a number; return the number of the last change."""
    while change := log.after(cursor):
        assert change.number > cursor
        cursor = change.number
        if change.value is None:
            rows.pop(change.key, None)  # it may have come and gone in between
        else:
            rows[change.key] = change.value
    return cursor


@given(st.lists(ROWS, max_size=30), st.integers(0, 30))
def test_the_changes_since_any_number_lead_to_the_rows_as_they_are(states, read_at):
    log, last = ChangeLog(0), 0
    seen, cursor = {}, 0
    for number, rows in enumerate(states):
        last = log.update(rows, last)
        if number == read_at:
            cursor = catch_up(log, cursor, seen)
            assert seen == rows
    assert catch_up(log, cursor, seen) == last
    assert seen == log.rows() == (states[-1] if states else {})


@given(st.lists(ROWS, min_size=1, max_size=30))
def test_it_holds_one_change_for_each_row_that_there_is_or_was(states):
    log, last = ChangeLog(0), 0
    for rows in states:
        last = log.update(rows, last)
    count, cursor = 0, 0
    while change := log.after(cursor):
        count, cursor = count + 1, change.number
    assert count == len({key for rows in states for key in rows})


def test_rows_that_are_the_same_are_no_change():
    log = ChangeLog(0)
    assert log.update({"a": {"value": 1}, "b": {"value": 1}}, 0) == 2
    assert log.update({"b": {"value": 1}, "a": {"value": 1}}, 2) == 2


def test_who_knows_rows_that_are_gone_and_forgotten_must_read_them_all_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(changes, "REMOVED_KEPT", 2)
    log = ChangeLog(0)
    known = last = log.update({key: {} for key in "abc"}, 0)
    last = log.update({"c": {}}, last)
    assert log.floor <= known
    last = log.update({}, last)
    assert known < log.floor < last
    assert log.after(log.floor) is not None


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z", False),
        ("2026-01-01T10:00:00Z", "2026-01-01T09:59:59Z", False),
        ("2026-01-01T10:00:00Z", "2026-01-01T10:00:02Z", True),
        ("2026-01-01T10:00:00Z", None, True),
        (None, "2026-01-01T10:00:00Z", True),
    ],
)
def test_an_estimated_end_counts_when_it_moved_by_more_than_a_second_or_so(before, after, new):
    log = ChangeLog(0)
    last = log.update({"run": {"estimated_end": before, "progress": 1.0}}, 0)
    assert (log.update({"run": {"estimated_end": after, "progress": 1.0}}, last) > last) is new


def test_an_estimated_end_that_creeps_is_told_at_last():
    log, last = ChangeLog(0), 0
    for second in range(4):
        last = log.update({"run": {"estimated_end": f"2026-01-01T10:00:0{second}Z"}}, last)
    assert last == 2
    assert log.rows()["run"]["estimated_end"] == "2026-01-01T10:00:02Z"


def test_an_estimated_end_that_hardly_moved_is_told_with_what_else_is_new():
    log = ChangeLog(0)
    last = log.update({"run": {"estimated_end": "2026-01-01T10:00:00Z", "progress": 1.0}}, 0)
    assert log.update({"run": {"estimated_end": "2026-01-01T10:00:01Z", "progress": 2.0}}, last) > last
