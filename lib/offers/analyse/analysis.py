"""Which engine analyses offers, and what an analysis makes of an offer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Protocol, cast

from lib.errors import UnavailableError
from lib.offers.analyse.options import AnalyseOptions, ModelSecrets
from lib.offers.analyse.profile import Profile
from lib.offers.analyse.scoring import Mark, reasons
from lib.offers.offer import Offer
from lib.offers.statuses import Status

ENGINES: Mapping[str, str] = {"llm": "lib.offers.analyse.llm", "embedded": "lib.offers.analyse.embedded"}
"""Module of each engine by its name, with functions `unavailable`, `version` and `engine`. To import one is cheap."""
BY = "Analysed by "


@dataclass(frozen=True)
class Spent:
    """What was used up."""

    tokens: int = 0
    cost: float | None = None
    """In the currency of the prices that the settings state; None when they state none."""

    def __add__(self, other: "Spent") -> "Spent":
        """Return both together."""
        known = [each.cost for each in (self, other) if each.cost is not None]
        return Spent(self.tokens + other.tokens, sum(known) if known else None)


@dataclass(frozen=True)
class Analysis:
    """How well an offer fits a profile."""

    score: float
    """From 0 to 100."""
    marks: tuple[Mark, ...]
    """One per criterion, in their order."""
    tokens: int = 0
    cost: float | None = None
    engine: str = ""
    """Who gave the marks, for people."""


class Engine(Protocol):
    """Analyses offers by one profile; may be used by several threads at once, and is closed at the end."""

    name: str
    """`embedded`, `llm`."""
    reason: str
    """Why engines that are preferred to it cannot run; empty when there is none."""

    @property
    def spent(self) -> Spent:
        """What all analyses used up together until now, those included that failed; any thread may read it any time."""

    def analyse(self, offer: Offer) -> Analysis:
        """Give marks to an offer.

        Raises InputError for an offer that cannot be analysed, and UnavailableError when the engine cannot be asked
        (any more), which has nothing to do with the offer.
        """

    def close(self) -> None:
        """Let go of connections. Analyses that go on in other threads end soon, with UnavailableError."""


def missing(name: str, options: AnalyseOptions, secrets: ModelSecrets | None) -> str:
    """Say why an engine cannot run and what to do; empty when it can."""
    if name not in ENGINES:
        return f"there is no such engine: {', '.join(ENGINES)}"
    unavailable = cast(Callable[[AnalyseOptions, ModelSecrets | None], str], import_module(ENGINES[name]).unavailable)
    return unavailable(options, secrets)


def version(name: str, options: AnalyseOptions, secrets: ModelSecrets | None) -> str:
    """Return what gives the marks: a model, or a package with its version. Only asked when the engine can run."""
    told = cast(Callable[[AnalyseOptions, ModelSecrets | None], str], import_module(ENGINES[name]).version)
    return told(options, secrets)


def choose(options: AnalyseOptions, profile: Profile, secrets: ModelSecrets | None) -> Engine:
    """Return the first engine of the options that can run; raises UnavailableError when none can."""
    reasons: list[str] = []
    for name in options.engines:
        if why := missing(name, options, secrets):
            reasons.append(f"{name}: {why}")
        else:
            make = cast(
                Callable[[AnalyseOptions, Profile, ModelSecrets | None], Engine], import_module(ENGINES[name]).engine
            )
            engine = make(options, profile, secrets)
            engine.reason = "; ".join(reasons)
            return engine
    raise UnavailableError(f"No engine can analyse offers. {'; '.join(reasons)}.")


def analysed(offer: Offer, analysis: Analysis, profile: Profile) -> Offer:
    """Return the offer with what was found; its note says by whom, after what it said of the page."""
    said = [] if offer.status is Status.ERROR else [line for line in offer.note.splitlines() if line]
    note = [*(line for line in said if not line.startswith(BY)), f"{BY}{analysis.engine}"]
    return replace(
        offer,
        status=Status.ANALYSED,
        score=analysis.score,
        reasons=reasons(analysis.marks),
        profile=profile.digest,
        note="\n".join(note),
    )
