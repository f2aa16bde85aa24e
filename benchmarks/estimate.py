"""How good the estimated end of a run is, on recorded runs of `video` (benchmarks/record.py makes them).

Each recorded run is lived through again: at 10, 25, 50 and 75 % of its true duration the core of the status is given
what was known at that moment, with other recorded runs as the past. `earlier` takes as the past the runs that had ended
before this one began, as it really was, and counts the runs that had at least three of them; `others` takes all others.

Each file of recordings is a past of its own: `quiet` was recorded on two cores with little else at work, `busy` while
other work came and went on them.

The error is how far the estimated end lies from the true one, in percent of the run's whole duration. In percent of the
time that was left it is more: both are printed, as medians over the runs.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from recordings import Look, Recording, read_recordings

from lib.runs.history import past_run
from lib.runs.past import PastRun
from lib.runs.plan import Workflow
from lib.runs.status import derive
from lib.workflows import workflows

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.jsonl.gz"))
SHARES = (0.10, 0.25, 0.50, 0.75)
LEAST_PAST = 3
"""Runs with fewer past ones do not count: nothing is known of them."""


@dataclass(frozen=True)
class Guess:
    """The estimated end of one run at one moment."""

    subject: str
    share: float
    past: int
    duration: float
    """True seconds of the whole run."""
    off: float | None
    """Seconds from the true end to the estimated one; None when there was no estimate."""
    basis: str

    @property
    def error(self) -> float | None:
        """How far off, in percent of the whole run."""
        return None if self.off is None else 100 * abs(self.off) / self.duration

    @property
    def error_of_the_rest(self) -> float | None:
        """How far off, in percent of the time that was left."""
        return None if self.off is None else 100 * abs(self.off) / (self.duration * (1 - self.share))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("histories", type=Path, nargs="*", default=HISTORIES, help="files of recorded runs")
    parser.add_argument("--each", action="store_true", help="print every estimate too")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    told = {path.name.partition(".")[0]: measure(path) for path in arguments.histories}
    if arguments.json:
        print(json.dumps(told, indent=2))
        return
    for name, found in told.items():
        show(name, found, each=arguments.each)


def measure(path: Path) -> dict[str, Any]:
    """Return how good the estimates for the runs of one file are."""
    recordings = read_recordings(path)
    if len(recordings) <= LEAST_PAST:
        raise SystemExit(f"{path} holds {len(recordings)} runs: record more than {LEAST_PAST} first.")
    guesses = {name: replay(recordings, choose) for name, choose in PASTS.items()}
    return {
        "runs": len(recordings),
        "seconds": sorted(round(_duration(recording), 1) for recording in recordings),
        "load": sorted(load for recording in recordings for load in recording.load),
        "rows": [{"past": name, **row} for name, made in guesses.items() for row in summary(made)],
        "each": [{**asdict(each), "error": each.error} for each in guesses["earlier"]],
    }


def show(name: str, found: dict[str, Any], *, each: bool) -> None:
    """Print what was found in one file."""
    seconds, load = found["seconds"], found["load"]
    print(
        f"{name}: {found['runs']} runs of {seconds[0]:.0f} to {seconds[-1]:.0f} s; load {load[0]:.1f} to {load[-1]:.1f}"
    )
    if each:
        print(f"{'run':<12}{'seconds':>9}{'past':>6}{'at':>6}{'off':>9}{'error':>9}  basis")
        for one in found["each"]:
            off, error = ("-", "-") if one["off"] is None else (f"{one['off']:+.1f} s", f"{one['error']:.1f} %")
            what = f"{one['subject']:<12}{one['duration']:>9.1f}{one['past']:>6}{one['share']:>6.0%}"
            print(f"{what}{off:>9}{error:>9}  {one['basis']}")
    print(f"{'past':<9}{'at':>6}{'runs':>6}{'none':>6}{'median':>10}{'9 of 10':>10}{'of the rest':>13}")
    for row in found["rows"]:
        print(
            f"{row['past']:<9}{row['at']:>6.0%}{row['runs']:>6}{row['without']:>6}"
            f"{row['median']:>8.1f} %{row['p90']:>8.1f} %{row['median_of_rest']:>11.1f} %"
        )
    print()


def replay(
    recordings: Sequence[Recording], past_of: Callable[[Recording, Sequence[Recording]], list[Recording]]
) -> list[Guess]:
    """Return the estimates for every run at each share of its duration."""
    guesses: list[Guess] = []
    for recording in recordings:
        chosen = past_of(recording, recordings)
        if len(chosen) >= LEAST_PAST:
            past = [told for each in chosen if (told := as_past(each)) is not None]
            guesses += [guess(recording, share, past) for share in SHARES]
    return guesses


def guess(recording: Recording, share: float, past: Sequence[PastRun]) -> Guess:
    """Return the estimate for a run when this share of its duration had passed."""
    started, ended = recording.end.root.started, recording.end.root.ended
    assert started is not None
    assert ended is not None
    now = started + share * (ended - started)
    look = _known_at(recording, now)
    status = derive(
        _workflow(recording),
        look.root,
        look.children,
        now,
        chosen=recording.chosen,
        subject=recording.subject,
        past=past,
    )
    off = (status.estimated_end - ended).total_seconds() if status.estimated_end else None
    return Guess(recording.subject, share, len(past), _duration(recording), off, status.basis)


def summary(guesses: Sequence[Guess]) -> list[dict[str, Any]]:
    """Return a row for each share of the duration: how many runs, and how large the errors were."""
    rows = []
    for share in SHARES:
        there = [guess for guess in guesses if guess.share == share]
        errors = [guess.error for guess in there if guess.error is not None]
        of_rest = [guess.error_of_the_rest for guess in there if guess.error_of_the_rest is not None]
        rows.append(
            {
                "at": share,
                "runs": len(there),
                "without": len(there) - len(errors),
                "median": median(errors),
                "p90": quantiles(errors, n=10, method="inclusive")[-1],
                "median_of_rest": median(of_rest),
            }
        )
    return rows


def earlier(recording: Recording, recordings: Sequence[Recording]) -> list[Recording]:
    """Return the runs that had ended before this one began."""
    return [each for each in recordings if each.end.now <= recording.looks[0].now]


def others(recording: Recording, recordings: Sequence[Recording]) -> list[Recording]:
    """Return all runs but this one."""
    return [each for each in recordings if each is not recording]


PASTS = {"earlier": earlier, "others": others}


def as_past(recording: Recording) -> PastRun | None:
    """Return what a run tells about how long phases take."""
    return past_run(_workflow(recording), recording.end.root, recording.end.children)


def _known_at(recording: Recording, now: datetime) -> Look:
    return [look for look in recording.looks if look.now <= now][-1]


def _workflow(recording: Recording) -> Workflow:
    return workflows()[recording.workflow]


def _duration(recording: Recording) -> float:
    root = recording.end.root
    assert root.started is not None
    assert root.ended is not None
    return (root.ended - root.started).total_seconds()


if __name__ == "__main__":
    main()
