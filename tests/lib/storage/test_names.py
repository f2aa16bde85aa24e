"""Names of objects that are taken as files stay in their folder and apart from one another, whatever they are."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lib.storage.names import refusals, told

PARTS = st.sampled_from(["a", "A", "b.mp4", "..", ".", "", "\\", "x" * 256, "\x00", "\n", "é", "\udce9", "ß", "SS"])
NAMES = st.sets(st.lists(PARTS, min_size=1, max_size=4).map("/".join), max_size=12)


@given(NAMES)
def test_what_is_taken_can_be_written_side_by_side(names: set[str]) -> None:
    import tempfile

    good = names - refusals(names).keys()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "folder")
        for name in good:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        found = {p.relative_to(folder).as_posix() for p in Path(place).rglob("*") if p.is_file()}
    assert found == good


@given(NAMES)
def test_where_capitals_are_not_apart_no_two_names_are_one(names: set[str]) -> None:
    good = names - refusals(names, cases_apart=False).keys()
    assert len({name.casefold() for name in good}) == len(good)


def test_refusals_are_told_by_name_but_not_all() -> None:
    words = told({f"../{number}": "it leads out" for number in range(7)})
    assert words.count("it leads out") == 5
    assert words.endswith("and 2 more")
