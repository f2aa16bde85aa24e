import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.progress import ITEM_LENGTH, ProgressRecord

COUNTS = st.integers(0, 10**9)
TEXTS = st.text(max_size=ITEM_LENGTH)
RECORDS = st.builds(ProgressRecord, COUNTS, COUNTS, COUNTS, COUNTS, st.floats(0, 100), TEXTS, TEXTS, TEXTS)


@given(record=RECORDS)
def test_a_record_is_read_back_as_it_was_written(record: ProgressRecord) -> None:
    metadata = record.as_metadata()
    assert all(isinstance(value, str) for value in metadata.values())
    assert ProgressRecord.from_metadata(metadata) == record


@given(item=st.text(min_size=ITEM_LENGTH + 1))
def test_a_long_item_is_cut(item: str) -> None:
    assert ProgressRecord.from_metadata(ProgressRecord(item=item).as_metadata()).item == item[:ITEM_LENGTH]


JUNK = st.text() | st.sampled_from(["nan", "inf", "-inf", "1e400", "-3", "1_000", "", "0x1", "12.7", "None"])


@given(metadata=st.dictionaries(st.sampled_from(["done", "total", "failed", "skipped", "percent", "x"]), JUNK))
def test_what_is_no_number_counts_as_nothing(metadata: dict[str, str]) -> None:
    record = ProgressRecord.from_metadata(metadata)
    assert 0 <= record.percent <= 100
    assert all(isinstance(n, int) and n >= 0 for n in (record.done, record.total, record.failed, record.skipped))


def test_metadata_of_another_kind_gives_an_empty_record() -> None:
    assert ProgressRecord.from_metadata({"colour": "red"}) == ProgressRecord()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (ProgressRecord(), "0 of 0"),
        (ProgressRecord(done=3, total=12), "3 of 12"),
        (
            ProgressRecord(done=3, total=12, failed=1, item="film.mp4 1200/5301"),
            "4 of 12 · 1 failed · film.mp4 1200/5301",
        ),
        (ProgressRecord(done=1, total=3, failed=1, skipped=1), "3 of 3 · 1 failed · 1 skipped"),
    ],
)
def test_a_record_in_words(record: ProgressRecord, words: str) -> None:
    assert record.sentence() == words
