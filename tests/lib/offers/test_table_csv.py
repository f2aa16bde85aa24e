"""Offers as CSV: read back as they were, and nothing in them a formula."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.table_csv import COLUMNS, FORMULA, MARK, as_csv

texts = st.text() | st.builds(str.__add__, st.sampled_from(FORMULA), st.text())
offers = st.lists(st.dictionaries(st.sampled_from((*COLUMNS, "other")), texts | st.floats(0, 100) | st.none()))


def read(text: str) -> list[dict[str, str]]:
    assert text.startswith(MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(MARK), newline=""), strict=True))


@given(offers)
def test_every_offer_is_a_row_of_the_same_texts(items: list[dict[str, Any]]) -> None:
    rows = read(as_csv(items))
    assert len(rows) == len(items)
    for item, row in zip(items, rows, strict=True):
        for column in COLUMNS:
            value = item.get(column)
            said = "" if value is None else str(value).replace("\0", "\ufffd")
            assert row[column].removeprefix("'") in {said, said.removeprefix("'")}


@given(offers)
def test_no_cell_is_taken_for_a_formula(items: list[dict[str, Any]]) -> None:
    for row in read(as_csv(items)):
        assert not [cell for cell in row.values() if cell.startswith(FORMULA)]


@pytest.mark.parametrize("begin", FORMULA)
def test_what_may_be_a_formula_is_a_text(begin: str) -> None:
    [row] = read(as_csv([{"title": f'{begin}HYPERLINK("http://evil.example")'}]))
    assert row["title"] == f'\'{begin}HYPERLINK("http://evil.example")'


def test_all_of_it_is_in_quotes_and_can_be_written() -> None:
    text = as_csv([{"title": 'He said "no",\nthen\ud800', "score": 71.5}])
    head, *lines = text.removeprefix(MARK).split("\r\n")
    assert head == ",".join(f'"{column}"' for column in COLUMNS)
    assert lines[0].startswith('"","","He said ""no"",\nthen?"')
    assert '"71.5"' in lines[0]
    assert text.encode()
