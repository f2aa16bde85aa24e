"""Whether frames come at a constant rate, decided from their timestamps alone."""

import heapq
from collections.abc import Iterable
from fractions import Fraction

REORDER = 64
"""Timestamps leave packets in coding order; codecs reorder over at most 16 frames (32 fields)."""

COARSEST_ROUNDED_TICK = Fraction(1, 500)
"""Clocks at least this fine (FLV and Matroska count milliseconds) may round a constant rate; coarser ones may not."""

COMMON_RATES = tuple(
    Fraction(number * 1000, base) for number in (10, 12, 15, 24, 25, 30, 48, 50, 60, 100, 120) for base in (1000, 1001)
)


class Timing:
    """Timestamps of a stream, added one by one in any order that a codec produces; memory does not grow with them.

    Frames are at a constant rate when every step between two timestamps is the same, or when a known rate explains each
    timestamp as rounded to a fine clock that cannot express it.
    """

    def __init__(self, time_base: Fraction) -> None:
        self.time_base = time_base
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None
        self._waiting: list[int] = []
        self._steps_equal = True
        self._step: int | None = None
        # The periods (in ticks) that explain every timestamp as rounded, an open interval of (number, denominator).
        self._shortest, self._longest = (0, 1), (1, 0)

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
        elapsed, index = timestamp - self.first, self.count
        if (elapsed - 1) * self._shortest[1] > self._shortest[0] * index:
            self._shortest = (elapsed - 1, index)
        if (elapsed + 1) * self._longest[1] < self._longest[0] * index:
            self._longest = (elapsed + 1, index)
        self.last = max(timestamp, self.last)
        self.count += 1

    def mean_rate(self) -> Fraction | None:
        """Return the frames a second over the whole stream; None when fewer than two moments are known."""
        if self.first is None or self.last is None or self.last == self.first:
            return None
        return (self.count - 1) / ((self.last - self.first) * self.time_base)

    def constant_rate(self, declared: Iterable[Fraction | None]) -> Fraction | None:
        """Return the constant rate in frames a second; None when the rate varies or fewer than two frames are known.

        `declared` are rates that the container names: they are believed only where the timestamps agree.
        """
        if self._step is None:
            return None
        if self._steps_equal:
            return 1 / (self._step * self.time_base)
        if self.time_base > COARSEST_ROUNDED_TICK:
            return None
        for rate in (*(rate for rate in declared if rate), *COMMON_RATES):
            period = 1 / (rate * self.time_base)
            if period.denominator != 1 and self._explains(period):
                return rate
        return None

    def _explains(self, period: Fraction) -> bool:
        above = period.numerator * self._shortest[1] > self._shortest[0] * period.denominator
        below = period.numerator * self._longest[1] < self._longest[0] * period.denominator
        return above and below
