"""How well the embedded scorer of offers agrees with labels given by hand.

The offers and the labels were written for this benchmark (benchmarks/offers), by the same hand as the scorer: they show
that the scorer does what it is meant to and that changes do not spoil it, not how it does on anybody's own mailbox. The
labels were given before anything was scored; faults that the first run showed (0.924 and 91.5 %) were then mended.

For each profile: Spearman's rank correlation between scores and labels, and the share of pairs of offers with different
labels that the scores put in the right order (ties count half). Offers are compared within their profile alone.
"""

import argparse
import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import correlation, fmean
from time import process_time
from typing import Any

from lib.offers.analyse.analysis import choose
from lib.offers.analyse.options import AnalyseOptions
from lib.offers.analyse.profile import read_profile
from lib.offers.analyse.scoring import reasons
from lib.offers.offer import Offer

FOLDER = Path(__file__).parent / "offers"
FIELDS = ("title", "company", "place", "contract", "salary", "description")


@dataclass(frozen=True)
class Scored:
    """An offer with both."""

    profile: str
    title: str
    label: float
    score: float
    reasons: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", action="store_true", help="print every offer with its marks too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    scored, seconds = score()
    rows = agreement(scored)
    if arguments.json:
        print(json.dumps({"rows": rows, "each": [asdict(each) for each in scored]}, indent=2, ensure_ascii=False))
        return
    if arguments.each:
        for each in sorted(scored, key=lambda each: (each.profile, -each.score)):
            print(f"{each.profile:<11}{each.label:>4.0f}{each.score:>7.1f}  {each.title}")
            print("".join(f"{'':24}{line}\n" for line in each.reasons.splitlines()), end="")
    print(f"{len(scored)} offers, labelled by hand by us; {1000 * seconds / len(scored):.1f} ms each")
    print(f"{'profile':<12}{'offers':>7}{'rank correlation':>18}{'pairs in order':>16}")
    for row in rows:
        print(f"{row['profile']:<12}{row['offers']:>7}{row['correlation']:>18.3f}{row['in_order']:>15.1%}")


def score() -> tuple[list[Scored], float]:
    """Return every offer of the benchmark with its score, and the seconds of processor time that this took."""
    told = tomllib.loads((FOLDER / "offers.toml").read_text())["offer"]
    profiles = {name: read_profile(FOLDER / f"{name}.toml") for name in sorted({each["profile"] for each in told})}
    options = AnalyseOptions(engines=["embedded"])
    engines = {name: choose(options, profile, None) for name, profile in profiles.items()}
    began = process_time()
    scored = []
    for each in told:
        offer = Offer(link="benchmark", **{field: each.get(field, "") for field in FIELDS})
        analysis = engines[each["profile"]].analyse(offer)
        scored.append(Scored(each["profile"], each["title"], each["label"], analysis.score, reasons(analysis.marks)))
    return scored, process_time() - began


def agreement(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    """Return a row per profile, and the mean of the profiles."""
    by_profile = {each.profile: [one for one in scored if one.profile == each.profile] for each in scored}
    rows: list[dict[str, Any]] = [
        {
            "profile": name,
            "offers": len(there),
            "correlation": correlation(ranks([each.label for each in there]), ranks([each.score for each in there])),
            "in_order": in_order(there),
        }
        for name, there in sorted(by_profile.items())
    ]
    means = {key: fmean(row[key] for row in rows) for key in ("correlation", "in_order")}
    return [*rows, {"profile": "mean", "offers": len(scored), **means}]


def ranks(numbers: Sequence[float]) -> list[float]:
    """Return the rank of each number; equal numbers share the mean of their ranks, as Spearman has it."""
    return [sum(other < each for other in numbers) + sum(other == each for other in numbers) / 2 for each in numbers]


def in_order(scored: Sequence[Scored]) -> float:
    """Return the share of pairs with different labels that scores put in the right order; a tie counts half."""
    pairs = [(a, b) for a, b in combinations(scored, 2) if a.label != b.label]
    right = [1.0 if (a.score - b.score) * (a.label - b.label) > 0 else 0.5 * (a.score == b.score) for a, b in pairs]
    return fmean(right)


if __name__ == "__main__":
    main()
