"""The embedded engine: rules and likeness of words; no key, no network, and every offer by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as package_version
from importlib.util import find_spec
from statistics import fmean

from lib.offers.analyse.analysis import Analysis, Engine, Spent
from lib.offers.analyse.facts import Remote, contracts_in
from lib.offers.analyse.likeness import Likeness
from lib.offers.analyse.options import AnalyseOptions, ModelSecrets
from lib.offers.analyse.places import place_wanted
from lib.offers.analyse.profile import Criterion, Profile
from lib.offers.analyse.reading import Reading
from lib.offers.analyse.scoring import BEST, Mark, total
from lib.offers.analyse.words import fold
from lib.offers.offer import Offer

SHOWN = 6
"""Words that a reason names."""
AVOIDED = 0.4
"""What is left of a mark for each thing to avoid that the description speaks of; of one in the title, nothing is."""
TOO_LITTLE = 0.7
"""The share of the pay wanted that earns no mark."""
LIKE = 0.2
"""How much of what words that are not there leave open the likeness of the others makes good at most."""
FROM_HOME = 0.3
"""How much work from home counts beside a place that is wanted."""
HOME: dict[Remote, str] = {"full": "work from home", "partial": "some work from home", "none": "no work from home"}
REMOTE: dict[tuple[Remote, Remote], float] = {
    ("full", "full"): 1.0,
    ("full", "partial"): 0.4,
    ("full", "none"): 0.0,
    ("partial", "full"): 0.9,
    ("partial", "partial"): 1.0,
    ("partial", "none"): 0.2,
    ("none", "full"): 0.2,
    ("none", "partial"): 0.6,
    ("none", "none"): 1.0,
}
"""What is offered to whom wants how much work from home: (wanted, offered)."""


def unavailable(options: AnalyseOptions, secrets: ModelSecrets | None) -> str:
    """Say that scikit-learn is missing."""
    return "" if find_spec("sklearn") else "scikit-learn is missing: install the environment `base` (`regie sync base`)"


def version(options: AnalyseOptions, secrets: ModelSecrets | None) -> str:
    """Return the version of scikit-learn."""
    return f"scikit-learn {package_version('scikit-learn')}"


def engine(options: AnalyseOptions, profile: Profile, secrets: ModelSecrets | None) -> Engine:
    """Return the engine for a profile."""
    return Embedded(profile)


class Embedded:
    """Gives marks by the rules of the criteria, and by how like an offer's words are to theirs."""

    name = "embedded"

    def __init__(self, profile: Profile) -> None:
        self.reason = ""
        self.spent = Spent()
        self._profile = profile
        self._likeness = Likeness(profile)

    def analyse(self, offer: Offer) -> Analysis:
        """Give marks to an offer."""
        read = Reading(offer, self._likeness)
        marks = tuple(_mark(criterion, read) for criterion in self._profile.criteria)
        return Analysis(total(marks, self._profile), marks, engine="the embedded scorer")

    def close(self) -> None:
        """Do nothing: it holds nothing."""


@dataclass(frozen=True)
class _Finding:
    """What a rule finds: how much of what is wanted, from 0 to 1, and in words."""

    share: float
    reason: str


def _mark(criterion: Criterion, offer: Reading) -> Mark:
    """Return the mean of what the rules find, less what is to be avoided."""
    findings = [found for rule in (_words, _where, _contract, _pay) if (found := rule(criterion, offer))]
    if not criterion.has_rules:
        findings = _like(criterion, offer)
    avoided = [words for words in criterion.avoid if offer.first_of(words)]
    if criterion.avoid and not findings and (avoided or offer.is_described):
        findings = [_Finding(1.0, "" if avoided else "finds nothing that is to be avoided")]
    if not findings:
        return Mark(criterion.name, None, "the offer says nothing about it")
    share = fmean(each.share for each in findings)
    share *= 0 if any(offer.in_title(words) for words in avoided) else AVOIDED ** len(avoided)
    told = [each.reason for each in findings if each.reason]
    if avoided:
        told.append(f"finds {_listed([words[0] for words in avoided])}, which is to be avoided")
    return Mark(criterion.name, round(BEST * share, 1), "; ".join(told))


def _words(criterion: Criterion, offer: Reading) -> _Finding | None:
    """Find the words that are wanted; the first ones found count most, for an offer hardly names them all."""
    if not criterion.words:
        return None
    found = [word for words in criterion.words if (word := offer.first_of(words))]
    if not found and not offer.is_described:
        return None
    missing = [words[0] for words in criterion.words if not offer.first_of(words)]
    share = 1 - (1 - len(found) / len(criterion.words)) ** 2
    told = [f"finds {_listed(found)}" if found else "", f"not {_listed(missing)}" if missing else ""]
    like = offer.likes[criterion.name].share
    return _Finding(share + (1 - share) * LIKE * like, "; ".join(filter(None, told)))


def _where(criterion: Criterion, offer: Reading) -> _Finding | None:
    """Find whether the place is one of those wanted, and how much work from home there is."""
    home = offer.remote
    wanted, share = criterion.remote, 1.0
    told = []
    if criterion.places:
        place = place_wanted(offer.place, criterion.places)
        if place:
            told.append(f"{offer.place} is in {place}" if fold(place) not in fold(offer.place) else f"in {offer.place}")
        elif home == "full" and wanted != "none":
            told.append("work from home, wherever it is")
        elif offer.place.strip():
            return _Finding(0.0, f"{offer.place} is not among the places wanted")
        elif not (wanted and home):
            return None
    if wanted and home:
        share = REMOTE[wanted, home]
        told.append(f"{HOME[home]}, wanted is {HOME[wanted]}" if home != wanted else HOME[home])
        if criterion.places:
            share = 1 - FROM_HOME + FROM_HOME * share
    return _Finding(share, ", ".join(told)) if told else None


def _contract(criterion: Criterion, offer: Reading) -> _Finding | None:
    """Find whether the contract is one of those wanted."""
    wanted = {kind for each in criterion.contracts for kind in contracts_in(each)}
    if not wanted or not offer.contracts:
        return None
    good = [kind for kind in offer.contracts if kind in wanted]
    return _Finding(1.0, f"is {_listed(good)}") if good else _Finding(0.0, f"is {_listed(offer.contracts)}")


def _pay(criterion: Criterion, offer: Reading) -> _Finding | None:
    """Find how the most that is paid compares with what is wanted; a rate a day and a salary are not compared."""
    pay = offer.pay
    if pay is None:
        return None
    is_rate = pay.period == "day"
    wanted, paid = (criterion.day_rate_min, pay.high) if is_rate else (criterion.salary_min, pay.yearly)
    if not wanted:
        return None
    per = "a day" if is_rate else "a year"
    share = min(1.0, max(0.0, (paid / wanted - TOO_LITTLE) / (1 - TOO_LITTLE)))
    return _Finding(share, f"pays up to {paid:,.0f} {per}, wanted are {wanted:,.0f}")


def _like(criterion: Criterion, offer: Reading) -> list[_Finding]:
    """Compare words where there is no rule, and something to compare."""
    like = offer.likes[criterion.name]
    if not offer.is_described and not like.words:
        return []
    told = f"has words in common with it: {_listed(like.words)}" if like.words else "has no word in common with it"
    return [_Finding(like.share, told)]


def _listed(words: Sequence[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
