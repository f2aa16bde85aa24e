"""How like the words of an offer are to those of a criterion: TF-IDF over beginnings of words, French and English."""

import re
from dataclasses import dataclass

import numpy as np

from lib.offers.analyse.profile import Profile
from lib.offers.analyse.words import fold

STEM = 7
"""Letters of a word that count: `développeur`, `développement` and `developer` are alike then."""
ALIKE = 0.4
"""How much of the words wanted an offer of the right kind has, by their weights. Between 0.3 and 0.5 it makes hardly
any difference to benchmarks/scoring.py."""
SHOWN = 6
_COMMON = """
a ai ainsi an and annees ans are as at au aussi aux avec avoir be been bon bonne but by can candidat ce ces cette chez
comme company dans de des do du each elle en entreprise equipe equipes est et etc etre experience for from good has
have high il in into is it its job join la le les leur leurs looking low ma mais mark me mes mission missions moi mon
more most much must my ne no nos not note notre nous of offer offre on or ou our par pas plus poste pour profil que
qui recherche recherchons role sa sans se ses should si so son sont souhaite sous sur ta team than that the their them
they this to tous tout toute toutes travail tu un une very vos votre vous was we well what who will with within work
years you your
"""
COMMON = frozenset(_COMMON.split())
"""Words that do not say which work it is."""
_WORD = re.compile(r"[a-z0-9][a-z0-9+#]+")
_LOW_MARKS = re.compile(r"(?<![\w.,/])[01] ?[:=].*?(?=(?<![\w.,/])[2-5] ?[:=]|$)")


@dataclass(frozen=True)
class Like:
    """How like a text is to a criterion."""

    share: float
    """From 0 to 1."""
    words: tuple[str, ...]
    """What is in both, as the offer spells it, what counts most first."""


class Likeness:
    """Compares offers with the criteria of a profile. It learns from the profile alone: no offer changes another's."""

    def __init__(self, profile: Profile) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        # The description says what earns which mark: what earns the lowest is not wanted.
        texts = [f"{each.name} {_LOW_MARKS.sub('', each.description)}" for each in profile.criteria]
        vectorizer = TfidfVectorizer(analyzer=stems, sublinear_tf=True)
        # A word of its own keeps the vocabulary of a profile of nothing but common words from being empty.
        vectorizer.fit([*texts, profile.about, "regie0"])
        self._known = vectorizer.get_feature_names_out()
        wanted = vectorizer.transform(texts).toarray()
        self._wanted = {each.name: row / (row.sum() or 1.0) for each, row in zip(profile.criteria, wanted, strict=True)}

    def of(self, text: str) -> dict[str, Like]:
        """Return how like a text is to each criterion: how much of what is wanted its words are, by their weights."""
        spelt = {word[:STEM]: word for word in reversed(_words(text))}
        there = np.array([stem in spelt for stem in self._known])
        found = {}
        for name, wanted in self._wanted.items():
            shared = wanted * there
            best = [spelt[self._known[at]] for at in np.argsort(-shared, kind="stable")[:SHOWN] if shared[at] > 0]
            found[name] = Like(min(1.0, float(shared.sum()) / ALIKE), tuple(best))
        return found


def stems(text: str) -> list[str]:
    """Return the beginnings of the words that say something."""
    return [word[:STEM] for word in _words(text)]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(fold(text)) if word not in COMMON and not word.isdigit()]
