"""What an offer says that it pays, in French and English: “45-55 k€”, “2 400 € brut par mois”, “TJM 500”; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lib.offers.analyse.words import plain

Period = Literal["year", "month", "day", "hour"]

PLAUSIBLE: dict[Period, tuple[float, float]] = {
    "year": (9_000, 900_000),
    "month": (500, 60_000),
    "day": (60, 5_000),
    "hour": (6, 400),
}
"""What is paid for so much work; a number outside is something else."""
IN_A_YEAR: dict[Period, float] = {"year": 1, "month": 12, "day": 218, "hour": 1820}
"""How many there are in a year of full-time work: 1,820 hours are 52 weeks of 35."""

_NUMBER = r"\d{1,3}(?:[ .,']\d{3}){1,2}(?:[.,]\d{1,2})?(?!\d)|\d{1,7}(?:[.,]\d{1,2})?(?!\d)"
_CURRENCY = r"(?:€|euros?|eur(?![a-z])|\$|£|usd|gbp|chf)"
_K = r" ?k(?![a-z])"
_AMOUNT = re.compile(
    rf"(?<![\d.,])(?P<low>{_NUMBER})(?P<low_k>{_K})?(?: ?{_CURRENCY})?"
    rf"(?: ?(?:a|-|to|et|and|/|jusqu'a)? ?{_CURRENCY}? ?(?P<high>{_NUMBER})(?P<high_k>{_K})?(?: ?{_CURRENCY})?)?"
)
_PERIODS: tuple[tuple[Period, re.Pattern[str]], ...] = (
    ("day", re.compile(r"(?<![a-z])(?:tjm|jours?|journee|journaliere?|day|daily|j)(?![a-z])")),
    ("hour", re.compile(r"(?<![a-z])(?:heures?|hour|hourly|horaire|h)(?![a-z])")),
    ("month", re.compile(r"(?<![a-z])(?:mois|mensuel(?:le|s)?|month|monthly)(?![a-z])")),
    ("year", re.compile(r"(?<![a-z])(?:ans?|annuel(?:le|s)?|annee|year|yearly|annum|annually|pa)(?![a-z])")),
)
_ABOUT_PAY = re.compile(r"salaire|remuneration|salary|compensation|package|tjm|brut|gross|fixe|wage|pay(?![a-z])")
_ELSE_BEFORE = re.compile(r"prime|bonus|chiffre d'affaires|turnover|revenue|budget|levee|raised")
_ELSE_AFTER = re.compile(r" ?(?:m€|m(?![a-z])|millions?|mds?|milliards?|%|clients|people|salaries)")


@dataclass(frozen=True)
class Pay:
    """What is paid, from the lowest to the highest that is said."""

    low: float
    high: float
    period: Period

    @property
    def yearly(self) -> float:
        """The highest that is said, for a year of full-time work."""
        return self.high * IN_A_YEAR[self.period]


def pay_in(text: str, *, only_pay: bool = False) -> Pay | None:
    """Return the first pay that a text states; None when it states none.

    With `only_pay` the text speaks of nothing else. Without, a number counts only when it has a currency or a `k`, and
    a period or a word about pay is near.
    """
    return next(_pays(plain(text), only_pay), None)


def _pays(text: str, only_pay: bool) -> Iterator[Pay]:
    for found in _AMOUNT.finditer(text):
        before, after = text[max(0, found.start() - 40) : found.start()], text[found.end() : found.end() + 20]
        if _ELSE_AFTER.match(after) or _ELSE_BEFORE.search(before[-25:]):
            continue
        period = _period(before, after)
        is_money = bool(re.search(_CURRENCY, found[0] + before[-2:]) or found["low_k"] or found["high_k"])
        if not only_pay and not (is_money and (period or _ABOUT_PAY.search(before + after))):
            continue
        if pay := _pay(found, period):
            yield pay


def _period(before: str, after: str) -> Period | None:
    """Return the period that is named nearest after a number, else nearest before it."""
    behind = [(match.start(), period) for period, pattern in _PERIODS if (match := pattern.search(after))]
    if behind:
        return min(behind)[1]
    ahead = [(match.end(), period) for period, pattern in _PERIODS for match in pattern.finditer(before)]
    return max(ahead)[1] if ahead else None


def _pay(found: re.Match[str], period: Period | None) -> Pay | None:
    """Return the pay that numbers mean; None when they are no pay for that period."""
    thousands = 1000 if found["low_k"] or found["high_k"] else 1
    numbers = [_value(each) for each in (found["low"], found["high"]) if each]
    # In “45-55 k” the k is for both; in “45 000 - 55 k” it is not.
    low, *_, high = sorted(each * thousands if each < 1000 else each for each in numbers * 2)
    periods: tuple[Period, ...] = (period,) if period else ("year", "month", "day")
    for each in periods:
        least, most = PLAUSIBLE[each]
        if least <= low and high <= most:
            return Pay(low, high, each)
    return None


def _value(text: str) -> float:
    whole = re.match(r"\d{1,3}(?:[ .,']\d{3})+(?!\d)", text)
    if whole:
        return float(re.sub(r"\D", "", whole[0]) + text[whole.end() :].replace(",", "."))
    return float(text.replace(",", "."))
