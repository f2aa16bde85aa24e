"""How the rows of a page (runs, phases) are said in the reader's language; `static/words.js` says them the same."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, get_args

from lib.console.messages import MESSAGES
from lib.words import NARROW, Catalogue, Language
from lib.words import Words as SharedWords

Row = Mapping[str, Any]
"""A run or a phase as the plain values of JSON: what the API gives, and what live events tell."""
LANGUAGES: tuple[Language, ...] = get_args(Language)

LINE = 100
"""Longest line on a phase among others, in characters."""

_FINAL = frozenset({"completed", "partial", "failed", "crashed", "cancelled", "skipped"})


@dataclass(frozen=True)
class Words(SharedWords):
    """The messages and formats of the console in one language."""

    messages: ClassVar[Catalogue] = MESSAGES

    def shown(self, row: Row, name: str) -> str:
        """Return what a page says of a row under a name: one of `SHOWN`, or else a field of the row as it is."""
        special = SHOWN.get(name)
        value = special(self, row) if special else row.get(name)
        return "" if value is None else str(value)

    def value(self, row: Row, name: str) -> float:
        """Return the number that a gauge or a bar shows of a row."""
        return VALUES[name](row) if name in VALUES else float(row.get(name) or 0)

    def milliseconds(self, seconds: float) -> str:
        """Return the duration of an answer: 3.2 ms, 120 ms."""
        milliseconds = 1000 * seconds
        return f"{self.number(milliseconds, 0 if milliseconds >= 10 else 1)}{NARROW}ms"

    def trend(self, share: float | None) -> str:
        """Return by how much something grew or shrank: +10 %, −4 %; a dash when that is not known."""
        return "–" if share is None else f"{'+' if share >= 0 else '−'}{self.percent(round(abs(share), 2))}"

    def moment(self, when: str | None) -> str:
        """Return a moment as those see it whose browser runs no script; others see it in their own time."""
        return f"{datetime.fromisoformat(when).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when else ""

    def phrase(self, text: str) -> str:
        """Return words that Régie itself says of a run (a basis, a reason) in this language, others as they are."""
        for pattern, key in PHRASES:
            if match := re.fullmatch(pattern, text):
                found = match.groupdict()
                return self(key, **{name: int(said) if name == "count" else said for name, said in found.items()})
        return text

    def hindrance(self, run: Row, action: str) -> str:
        """Say why a run cannot be cancelled or resumed now; empty when it can."""
        why = HINDRANCES[action](run)
        return self(why) if why else ""

    def bytes(self, size: float) -> str:
        """Return a size in decimal units: 512 MB, 1.5 TB."""
        for unit, digits in (("kB", 0), ("MB", 0), ("GB", 1)):
            size /= 1000
            if size < 999.5:
                return f"{self.number(size, digits)}{NARROW}{unit}"
        return f"{self.number(size / 1000, 1)}{NARROW}TB"

    def whole_percent(self, percent: float) -> str:
        """Return a percentage without decimals, rounded down: what is not complete is never shown as 100 %."""
        return self.percent(math.floor(percent) / 100)


def language_of(accepted: str) -> Language:
    """Return the language that a browser likes best (header `Accept-Language`) of those that the console speaks."""
    best: tuple[float, Language] = (0.0, LANGUAGES[0])
    for choice in accepted.lower().split(","):
        tag, _, quality = choice.partition(";")
        weight = re.fullmatch(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", quality) if quality else None
        if quality and not weight:
            continue
        liking = float(weight[1]) if weight else 1.0
        for language in LANGUAGES:
            if tag.strip().partition("-")[0] == language and liking > best[0]:
                best = (liking, language)
    return best[1]


def state_of(row: Row) -> str:
    """Return the state that is shown: a run or phase that was asked to stop and works on is `stopping`."""
    return "stopping" if row.get("stopping") and not is_final(row) else str(row["state"])


def is_final(row: Row) -> bool:
    """Whether nothing more will happen."""
    return row["state"] in _FINAL


def _duration(words: Words, row: Row) -> str | None:
    if not row.get("started"):
        return None
    end = datetime.fromisoformat(row["ended"]) if row.get("ended") else datetime.now(UTC)
    seconds = max((end - datetime.fromisoformat(row["started"])).total_seconds(), 0.0)
    # What still counts up does so in whole seconds.
    return words.duration(seconds if row.get("ended") else math.floor(seconds))


def _progress(words: Words, row: Row) -> str | None:
    return None if row["progress"] is None else words.whole_percent(row["progress"])


def _counters(words: Words, row: Row) -> str | None:
    if not row.get("total"):
        return None
    parts = [words("counters", done=row["done"], total=row["total"])]
    parts += [words(f"count_{kind}", count=row[kind]) for kind in ("failed", "skipped") if row[kind]]
    return " · ".join(parts)


def _phases_done(words: Words, row: Row) -> str:
    counts = row["counts"]
    total = sum(counts.values()) - counts.get("skipped", 0)
    return words("phases_done", done=counts.get("completed", 0) + counts.get("partial", 0), total=total)


def _left(words: Words, row: Row) -> str | None:
    if not row.get("estimated_end"):
        return None
    seconds = (datetime.fromisoformat(row["estimated_end"]) - datetime.now(UTC)).total_seconds()
    return words("in_time", time=words.duration(math.floor(seconds))) if seconds >= 1 else words("any_moment")


def _what(words: Words, row: Row) -> str:
    """One line on a phase: what it works on, or else what went wrong, or what it did."""
    line = row["item"] or words.phrase(row["error"]) or _counters(words, row) or ""
    return line if len(line) <= LINE else f"{line[:LINE]}…"


def _trouble(words: Words, row: Row) -> str | None:
    return words.phrase(row["message"]) if is_final(row) and row["state"] != "completed" else None


def _spent(words: Words, row: Row) -> str | None:
    tokens, cost = row["spent"]["tokens"], row["spent"]["cost"]
    if not tokens and not cost:
        return None
    return " · ".join(
        [words("tokens", count=tokens), *([] if cost is None else [words("cost", cost=words.number(cost, 4))])]
    )


def _more(words: Words, count: int) -> str | None:
    return words("more_named", count=count) if count > 0 else None


def _used(words: Words, space: Row) -> str:
    return words("used_of", used=words.bytes(space["used"]), total=words.bytes(space["total"]))


def _gpu(row: Row) -> float:
    return float(row["memory"]["percent"] if row["percent"] is None else row["percent"])


def _gpu_words(words: Words, row: Row) -> str:
    heat = [] if row["celsius"] is None else [f"{row['celsius']}{NARROW}°C"]
    return " · ".join([words("gpu_memory", used=_used(words, row["memory"])), *heat])


def _warnings(words: Words, row: Row) -> str:
    return "\n".join(
        words(
            f"warning_{each['resource'].replace(' ', '_')}",
            name=each["name"],
            percent=words.whole_percent(each["percent"]),
        )
        for each in row["warnings"]
    )


SHOWN: Mapping[str, Callable[[Words, Row], str | None]] = {
    # A run or a phase
    "state": lambda words, row: words(f"state_{state_of(row)}"),
    "duration": _duration,
    "progress": _progress,
    "at_work": lambda words, row: _progress(words, row) if row["state"] == "running" else None,
    "counters": _counters,
    "phases_done": _phases_done,
    "left": _left,
    "basis": lambda words, row: ", ".join(words.phrase(part) for part in row["basis"].split(", ")),
    "again": lambda _, row: str(row["attempt"]) if row["attempt"] > 1 else None,
    "tries": lambda _, row: str(row["attempt"]) if row["attempt"] else None,
    "what": _what,
    "why": lambda words, row: words.phrase(row["error"]),
    "trouble": _trouble,
    "outcome": lambda words, row: words.phrase(row["message"]) if is_final(row) else None,
    "unfinished": lambda _, row: None if is_final(row) else "1",
    "no_estimate": lambda _, row: None if row["estimated_end"] else "1",
    # A table of offers
    "calls": lambda words, row: words("calls_made", **row["calls"]),
    "nothing": lambda _, row: None if row["sources"] else "1",
    "spent": _spent,
    "failures": lambda words, row: words("failures", count=row["count"]) if row["count"] else None,
    "left_alone": lambda words, row: words("left_alone", count=row["count"]) if row["count"] else None,
    "more_named": lambda words, row: _more(words, row["count"] - len(row["items"])),
    # The machine
    "cpu_percent": lambda words, row: words.whole_percent(row["cpu"]),
    "cpu_words": lambda words, row: words("cores_load", count=row["cores"], load=words.number(row["load"], 1)),
    "memory_percent": lambda words, row: words.whole_percent(row["memory"]["percent"]),
    "memory_words": lambda words, row: _used(words, row["memory"]),
    "disk_percent": lambda words, row: words.whole_percent(row["disk"]["percent"]),
    "disk_words": lambda words, row: words(
        "disk_free", free=words.bytes(row["disk"]["free"]), folder=row["disk"]["folder"]
    ),
    "gpu_percent": lambda words, row: words.whole_percent(_gpu(row)),
    "gpu_words": _gpu_words,
    "warned": lambda words, row: words("warnings", count=len(row["warnings"])) if row["warnings"] else None,
    "warning_words": _warnings,
}
"""What is shown of a row that is not just a field of it."""

VALUES: Mapping[str, Callable[[Row], float]] = {
    "memory": lambda row: float(row["memory"]["percent"]),
    "disk": lambda row: float(row["disk"]["percent"]),
    "gpu": _gpu,
}

PHRASES = (
    (r"median of (?P<count>\d+) runs?", "basis_median"),
    ("this run's pace", "basis_pace"),
    ("not asked for", "reason_not_asked"),
    (r"needs (?P<phase>\S+), which (?:was )?(?:failed|cancelled|skipped|crashed)", "reason_needs"),
    (r"the run (?:was )?\w+ before it", "reason_before"),
)
"""What Régie says of runs in English, wherever it says it, and the message that says the same."""

HINDRANCES: Mapping[str, Callable[[Row], str]] = {
    "cancel": lambda run: "why_ended" if run["over"] else "why_stopping" if run["stopping"] else "",
    "resume": lambda run: (
        "why_working" if not is_final(run) else "why_completed" if run["state"] == "completed" else ""
    ),
    "again": lambda _: "",
    "some": lambda _: "",
    "start": lambda run: "" if run["over"] else "why_working",
}
"""Why something cannot be done to a run: the key of a message, or nothing."""
