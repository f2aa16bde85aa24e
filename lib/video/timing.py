"""Whether frames come at a constant rate, decided from their timestamps alone."""

import heapq
from collections.abc import Iterable
from fractions import Fraction

REORDER = 64
"""Timestamps leave packets in coding order; codecs reorder over at most 16 frames (32 fields)."""

COARSEST_ROUNDED_TICK = Fraction(1, 500)
"""Clocks at least this fine (FLV and Matroska count milliseconds) may round a constant rate; coarser ones may not."""

ROUNDING = Fraction(11, 10)
"""How far apart, in ticks, the errors of rounded timestamps may lie: one, and a little when they were rounded twice."""

SAME_RATE = Fraction(1, 10_000)
"""The common rates lie further apart than this part of them (24 and 24000/1001: a thousandth)."""

COMMON_RATES = (
    *(Fraction(rate) for rate in (10, 12, 15, 24, 25, 30, 48, 50, 60, 100, 120)),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60, 120)),
)


class Timing:
    """Timestamps of a stream, added one by one in any order that a codec produces; memory does not grow with them.

    Frames are at a constant rate when every step between two timestamps is the same, or when one rate explains all of
    them as rounded to a fine clock that cannot express it. `declared` are rates that the container names: they are
    believed only where the timestamps agree.
    """

    def __init__(self, time_base: Fraction, declared: Iterable[Fraction | None] = ()) -> None:
        self.time_base = time_base
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None
        self._waiting: list[int] = []
        self._steps_equal = True
        self._step: int | None = None
        named = [rate for rate in declared if rate]
        # Containers round the rates that they name (24000/1001 comes back as 983/41).
        meant = [rate for rate in COMMON_RATES if any(abs(rate / each - 1) < SAME_RATE for each in named)]
        rates = dict.fromkeys((*meant, *named, *COMMON_RATES)) if time_base <= COARSEST_ROUNDED_TICK else {}
        self._candidates = [_Candidate(rate, 1 / (rate * time_base)) for rate in rates]

    def add(self, timestamp: int) -> None:
        """Take the presentation timestamp of one frame, in units of the time base."""
        heapq.heappush(self._waiting, timestamp)
        if len(self._waiting) > REORDER:
            self._take(heapq.heappop(self._waiting))

    def finish(self) -> None:
        """Say that no timestamp follows."""
        while self._waiting:
            self._take(heapq.heappop(self._waiting))

    def _take(self, timestamp: int) -> None:
        if self.first is None or self.last is None:
            self.first = self.last = timestamp
            self.count = 1
            return
        step = timestamp - self.last
        if self._step is None:
            self._step = step
        self._steps_equal &= step == self._step and step > 0
        elapsed = timestamp - self.first
        self._candidates = [each for each in self._candidates if each.explains(elapsed, self.count)]
        self.last = max(timestamp, self.last)
        self.count += 1

    def mean_rate(self) -> Fraction | None:
        """Return the frames a second over the whole stream; None when fewer than two moments are known."""
        if self.first is None or self.last is None or self.last == self.first:
            return None
        return (self.count - 1) / ((self.last - self.first) * self.time_base)

    def constant_rate(self) -> Fraction | None:
        """Return the constant rate in frames a second; None when the rate varies or fewer than two frames are known."""
        if self._step is None:
            return None
        if self._steps_equal:
            return 1 / (self._step * self.time_base)
        return self._candidates[0].rate if self._candidates else None


class _Candidate:
    """A rate that may explain the timestamps, and between which bounds their errors lie (in parts of a tick)."""

    def __init__(self, rate: Fraction, period: Fraction) -> None:
        self.rate = rate
        self._numerator, self._denominator = period.numerator, period.denominator
        self._least = self._most = 0

    def explains(self, elapsed: int, index: int) -> bool:
        # A period of whole ticks is never rounded: such a rate has equal steps, or is not constant.
        if self._denominator == 1:
            return False
        error = elapsed * self._denominator - index * self._numerator
        self._least, self._most = min(self._least, error), max(self._most, error)
        return (self._most - self._least) * ROUNDING.denominator <= ROUNDING.numerator * self._denominator
