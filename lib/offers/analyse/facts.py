"""What an offer's words say of its contract and of work from home, in French and English; pure."""

import re
from typing import Literal

from lib.offers.analyse.words import fold

Remote = Literal["full", "partial", "none"]

CONTRACTS = {
    "CDI": r"cdi|permanent|open ended|duree indeterminee|temps indetermine",
    "CDD": r"cdd|fixed term|duree determinee|temporary",
    "freelance": r"freelances?|free lance|independante?s?|contractor|portage salarial|tjm|self employed",
    "interim": r"interim|interimaires?|travail temporaire|agency work|temp work",
    # Not “an early-stage company”, nor “at this stage”.
    "stage": r"^stage|stage$|(?:un|en|de|le|du|ce|votre|[(:/,]) ?stage|stage (?:de|d'|en|[(/])|stagiaires?|"
    r"internships?|intern",
    "alternance": r"alternance|alternante?s?|apprentissage|apprentie?s?|contrat de professionnalisation|"
    r"apprenticeships?|apprentice",
}
"""Each kind of contract, and what else it is called."""
_CONTRACTS = {kind: re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])") for kind, words in CONTRACTS.items()}

_HOME = r"(?:tele ?travail|telecommut(?:e|ing)|remote|home ?office|work(?:ing)? from home|distanciel|a distance|wfh)"
_DAYS = r"[1-4](?: (?:a|to|ou|or|/) [1-4])? ?(?:jours?|days?|j)"
_WHOLE = r"100 ?%|total|complet|integral|full|only|a temps (?:plein|complet)|5 ?j"
# The first that is found says what the offer means: where it may all be from home, some days of it are no limit.
_REMOTE: tuple[tuple[Remote | None, re.Pattern[str]], ...] = (
    (
        "none",
        re.compile(
            rf"(?<![a-z])(?:(?:pas|sans|non|no|not|aucun) (?:(?:de|du|en|a|possibilite|possible) )*{_HOME}|"
            rf"{_HOME} ?:? ?(?:est |is )?(?:non|no|not|pas|impossible|exclu)(?![a-z])|"
            rf"(?:100 ?%|uniquement|exclusivement|fully|entirely) (?:sur site|en presentiel|presentiel|on ?site)|"
            rf"on ?site only)"
        ),
    ),
    (
        "full",
        re.compile(
            rf"(?<![a-z])(?:(?:full|fully|100 ?%|completely|entirely|totalement|all)(?: en)? ?{_HOME}|"
            rf"{_HOME} ?:? ?\(?(?:{_WHOLE})(?![a-z])|remote first|work from anywhere)"
        ),
    ),
    (
        "partial",
        re.compile(
            rf"(?<![a-z])(?:hybride?(?![a-z])|(?:partial(?:ly)?|partly|some|occasional) {_HOME}|"
            rf"{_DAYS}[^.]{{0,30}}{_HOME}|"
            rf"{_HOME} ?:? ?\(?(?:partiel|occasionnel|ponctuel|{_DAYS}|jusqu|up to))"
        ),
    ),
    (None, re.compile(rf"(?<![a-z]){_HOME}")),
    # As a field of its own; in a description “sur site” may be said of the canteen.
    ("none", re.compile(r"^\W*(?:sur site|on site|onsite|(?:en )?presentiel)\W*$")),
)


def contracts_in(text: str) -> tuple[str, ...]:
    """Return the kinds of contract that a text speaks of, by the names of CONTRACTS."""
    folded = fold(text)
    return tuple(kind for kind, pattern in _CONTRACTS.items() if pattern.search(folded))


def remote_in(text: str, unqualified: Remote | None = "partial") -> Remote | None:
    """Return how much work from home a text speaks of; None when it says nothing about it.

    Where it does not say how much it is taken for `unqualified`: in the place of an offer, “Remote” is all.
    """
    folded = fold(text)
    return next((much or unqualified for much, pattern in _REMOTE if pattern.search(folded)), None)
