"""What the status of an answer means."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lib.web.challenges import DENIALS, LOOK, guard_of
from lib.web.outcomes import Blocked, Gone, NoPage, Refused, Unavailable
from lib.web.packing import unpacked
from lib.web.wire import Answer

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530})
"""What another attempt may mend; those from 520 on are Cloudflare's words for a host out of order."""


def verdict(answer: Answer) -> NoPage | None:
    """Return why an answer is no page; None when it is one, as far as its head tells."""
    status, host = answer.status, answer.place.host
    looked = status in DENIALS or status == 503
    guard = guard_of(status, answer.headers, _start(answer) if looked else b"")
    if guard:
        return blocked(answer, guard)
    if 200 <= status < 300:
        return None
    if status in PASSING:
        return Unavailable(f"{host} answers {status}", passing=True, status=status, after=rest_asked_for(answer))
    if status in {404, 410}:
        return Gone(f"{host} has no such page ({status})", status=status)
    if 400 <= status < 500:
        return Refused(f"{host} does not give this page ({status})", by="site", status=status)
    return Unavailable(f"{host} answers {status}, which is no page", status=status)


def blocked(answer: Answer, guard: str) -> Blocked:
    """Return that a guard answered."""
    words = f"{answer.place.host} takes this client for a bot: {guard} answers {answer.status} instead of the page"
    return Blocked(words, status=answer.status)


def rest_asked_for(answer: Answer, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Return the seconds of `Retry-After`, which may be a number or a date; None without one that makes sense."""
    text = answer.header("retry-after")[:64]
    try:
        seconds = float(text) if text[:1].isdigit() else (_moment(text) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(text: str) -> datetime:
    found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _start(answer: Answer) -> bytes:
    return unpacked(answer.read(LOOK, cut=True), answer.encoding, LOOK, cut=True)
