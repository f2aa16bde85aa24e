import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.offers.analyse.places import DEPARTMENTS, REGIONS, departments_in, place_wanted


def test_every_department_of_the_mainland_is_in_one_region() -> None:
    listed = [number for numbers in REGIONS.values() for number in numbers.split()]
    assert sorted(listed) == sorted(number for number in DEPARTMENTS if not number.startswith("97"))
    assert len(DEPARTMENTS) == 101


@pytest.mark.parametrize(
    ("place", "wanted", "found"),
    [
        ("Lyon (69)", "lyon", True),
        ("Lyon 3e Arrondissement", "Lyon", True),
        ("Villeurbanne - 69100", "69", True),
        ("Villeurbanne - 69100", "Rhône", True),
        ("Villeurbanne - 69100", "Auvergne-Rhône-Alpes", True),
        ("Lyon, Auvergne-Rhône-Alpes, France", "Rhône", False),
        ("Nantes, Pays de la Loire", "Loire", False),
        ("Nantes, Pays de la Loire", "Pays de la Loire", True),
        ("Saint-Étienne (42)", "St Etienne", True),
        ("Le Puy, Haute-Loire", "Loire", False),
        ("75009 Paris", "Île-de-France", True),
        ("Nanterre (92)", "ile de france", True),
        ("Ajaccio 20000", "2A", True),
        ("Les Abymes 97139", "Guadeloupe", True),
        ("Parisot (81)", "Paris", False),
        ("Bordeaux", "Gironde", False),
        ("London", "London", True),
        ("", "Lyon", False),
        ("Lyon", "…", False),
    ],
)
def test_a_place_is_found_by_town_department_or_region(place: str, wanted: str, found: bool) -> None:
    assert place_wanted(place, [wanted]) == (wanted if found else None)


@given(st.sampled_from(sorted(DEPARTMENTS)), st.sampled_from(["{} (X)", "Ville ({})", "{}", "Ville - {}"]))
def test_every_department_is_known_by_its_name_and_its_number(number: str, pattern: str) -> None:
    assert number.lower() in departments_in(pattern.format(DEPARTMENTS[number]))
    assert number.lower() in departments_in(pattern.format(number))


@given(st.text(max_size=100), st.lists(st.text(max_size=20), max_size=5))
def test_what_is_found_was_wanted(place: str, wanted: list[str]) -> None:
    assert place_wanted(place, wanted) in {None, *wanted}
