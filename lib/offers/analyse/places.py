"""Whether a place is one of those wanted: towns, and French departments and regions by name or number; pure."""

import re
from collections.abc import Iterable, Sequence

from lib.offers.analyse.words import fold

_DEPARTMENTS = """
01 Ain, 02 Aisne, 03 Allier, 04 Alpes-de-Haute-Provence, 05 Hautes-Alpes, 06 Alpes-Maritimes, 07 Ardèche, 08 Ardennes,
09 Ariège, 10 Aube, 11 Aude, 12 Aveyron, 13 Bouches-du-Rhône, 14 Calvados, 15 Cantal, 16 Charente, 17 Charente-
Maritime, 18 Cher, 19 Corrèze, 2A Corse-du-Sud, 2B Haute-Corse, 21 Côte-d'Or, 22 Côtes-d'Armor, 23 Creuse, 24
Dordogne, 25 Doubs, 26 Drôme, 27 Eure, 28 Eure-et-Loir, 29 Finistère, 30 Gard, 31 Haute-Garonne, 32 Gers, 33 Gironde,
34 Hérault, 35 Ille-et-Vilaine, 36 Indre, 37 Indre-et-Loire, 38 Isère, 39 Jura, 40 Landes, 41 Loir-et-Cher, 42 Loire,
43 Haute-Loire, 44 Loire-Atlantique, 45 Loiret, 46 Lot, 47 Lot-et-Garonne, 48 Lozère, 49 Maine-et-Loire, 50 Manche, 51
Marne, 52 Haute-Marne, 53 Mayenne, 54 Meurthe-et-Moselle, 55 Meuse, 56 Morbihan, 57 Moselle, 58 Nièvre, 59 Nord, 60
Oise, 61 Orne, 62 Pas-de-Calais, 63 Puy-de-Dôme, 64 Pyrénées-Atlantiques, 65 Hautes-Pyrénées, 66 Pyrénées-Orientales,
67 Bas-Rhin, 68 Haut-Rhin, 69 Rhône, 70 Haute-Saône, 71 Saône-et-Loire, 72 Sarthe, 73 Savoie, 74 Haute-Savoie, 75
Paris, 76 Seine-Maritime, 77 Seine-et-Marne, 78 Yvelines, 79 Deux-Sèvres, 80 Somme, 81 Tarn, 82 Tarn-et-Garonne, 83
Var, 84 Vaucluse, 85 Vendée, 86 Vienne, 87 Haute-Vienne, 88 Vosges, 89 Yonne, 90 Territoire de Belfort, 91 Essonne, 92
Hauts-de-Seine, 93 Seine-Saint-Denis, 94 Val-de-Marne, 95 Val-d'Oise, 971 Guadeloupe, 972 Martinique, 973 Guyane, 974
La Réunion, 976 Mayotte
"""
DEPARTMENTS: dict[str, str] = dict(re.findall(r"(\w\w\d?) ([^,]+)", " ".join(_DEPARTMENTS.split())))
"""Name of each department by its number (Insee, 2024)."""
REGIONS = {
    "Auvergne-Rhône-Alpes": "01 03 07 15 26 38 42 43 63 69 73 74",
    "Bourgogne-Franche-Comté": "21 25 39 58 70 71 89 90",
    "Bretagne": "22 29 35 56",
    "Centre-Val de Loire": "18 28 36 37 41 45",
    "Corse": "2A 2B",
    "Grand Est": "08 10 51 52 54 55 57 67 68 88",
    "Hauts-de-France": "02 59 60 62 80",
    "Île-de-France": "75 77 78 91 92 93 94 95",
    "Normandie": "14 27 50 61 76",
    "Nouvelle-Aquitaine": "16 17 19 23 24 33 40 47 64 79 86 87",
    "Occitanie": "09 11 12 30 31 32 34 46 48 65 66 81 82",
    "Pays de la Loire": "44 49 53 72 85",
    "Provence-Alpes-Côte d'Azur": "04 05 06 13 83 84",
}
"""The departments of each region (Insee, 2024)."""


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(longest_first)})(?![a-z0-9])")


_NUMBER_OF = {fold(name): number.lower() for number, name in DEPARTMENTS.items()}
_OF_REGION = {fold(name): frozenset(numbers.lower().split()) for name, numbers in REGIONS.items()}
_NAME = _any_of([*_NUMBER_OF, *_OF_REGION])
"""The longest first: “Pays de la Loire” is not the department Loire, nor is “Haute-Loire”."""
_NUMBER = re.compile(r"(?<![\d.,])(?:(97\d)\d\d|(2[ab]|\d\d)\d{3}|(97\d|2[ab]|\d\d))(?![\d.,a-z])")
_CORSICA = frozenset({"2a", "2b"})


def place_wanted(place: str, wanted: Sequence[str]) -> str | None:
    """Return the first of the places wanted that a place is, or lies in; None when it is none of them.

    A town is found by its name, a department or a region also by what else says that the place lies in it: the name or
    number of a department, a postal code. Where a place names a town alone, its department is not known.
    """
    folded, numbers = _told(place), departments_in(place)
    regions = _OF_REGION.keys() & _NAME.findall(fold(place))
    for each in wanted:
        name = fold(each)
        if name in _OF_REGION:
            found = name in regions or bool(numbers & _OF_REGION[name])
        elif name.upper() in DEPARTMENTS or name in _NUMBER_OF:
            found = _NUMBER_OF.get(name, name) in numbers
        else:
            found = re.search(rf"(?<![a-z0-9]){re.escape(_told(each))}(?![a-z0-9])", folded) is not None
        if found and name:
            return each
    return None


def departments_in(place: str) -> frozenset[str]:
    """Return the numbers of the departments that a place names by number, postal code or name, in small letters."""
    folded = fold(place)
    numbers = {_NUMBER_OF[name] for name in _NAME.findall(folded) if name in _NUMBER_OF}
    for overseas, postal, number in _NUMBER.findall(folded):
        told = overseas or postal or number
        numbers |= _CORSICA if told == "20" else {told}
    return frozenset(number for number in numbers if number.upper() in DEPARTMENTS)


def _told(text: str) -> str:
    """Return a place as it is compared: `St-Étienne` is `Saint-Étienne`."""
    return re.sub(r"\bst(e?)\b\.?", r"saint\1", fold(text))
