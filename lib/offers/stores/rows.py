"""What an offer looks like in a row of a table: texts, numbers and nothing, whichever store holds it."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

from lib.offers.offer import Offer
from lib.offers.statuses import Status, StatusNames
from lib.offers.stores.base import BATCH, Change, RefusedError

T = TypeVar("T")
Value = str | float | None
Row = dict[str, Value]

COLUMNS = (
    "link", "key", "source", "title", "company", "place", "contract", "salary", "remote", "published", "expires",
    "description", "status", "score", "reasons", "profile", "note", "seen",
)  # fmt: skip
"""Attributes of an offer that a row has."""
TEXTS = (
    "link", "key", "source", "title", "company", "place", "contract", "salary", "remote", "description", "reasons",
    "profile", "note",
)  # fmt: skip

SAYING = ("key", "source", "title", "company", "status")
"""A row with none of these is no offer yet."""

LONGEST = 100_000
"""Characters of a text, counted as Airtable does, which takes no more."""
CUT = " […]"
"""Mark at the end of a text that was cut."""
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
"""Control characters, which no text needs, but for line ends and tabs."""


def row_of(offer: Offer, names: StatusNames) -> Row:
    """Return the row of an offer; what is not known is None.

    Texts are free of what no store takes (lone surrogates, control characters) and cut where they are too long. Raises
    RefusedError for an offer without a link, or with one that is far too long to be one.
    """
    row: Row = {name: clean(getattr(offer, name)) or None for name in TEXTS}
    if not offer.link:
        raise RefusedError("It has no link, by which the store tells offers apart.")
    if len(offer.link) > LONGEST // 10:
        raise RefusedError("Its link is far too long to be one.")
    status = offer.label if offer.status is Status.OTHER else names.name(offer.status)
    score = offer.score if offer.score is not None and math.isfinite(offer.score) else None
    return row | {
        "published": offer.published.isoformat() if offer.published else None,
        "expires": offer.expires.isoformat() if offer.expires else None,
        "status": clean(status) or None,
        "score": score,
        "seen": _moment(offer.seen) if offer.seen else None,
    }


def offer_of(record: str, row: Mapping[str, object], names: StatusNames) -> Offer:
    """Return the offer of a row, which people may have edited: what makes no sense in its column counts as empty."""
    texts = {name: text(row.get(name)) for name in TEXTS}
    label = text(row.get("status")).strip()
    status = names.status(label)
    return Offer(
        **texts,
        published=_date(row.get("published")),
        expires=_date(row.get("expires")),
        status=status,
        label=label if status is Status.OTHER else "",
        score=_number(row.get("score")),
        seen=_datetime(row.get("seen")),
        record=record,
    )


def difference(change: Change, names: StatusNames) -> Row:
    """Return what of a row a change is about; empty when there is nothing to write."""
    before, after = row_of(change.before, names), row_of(change.after, names)
    return {name: value for name, value in after.items() if value != before[name]}


def is_empty(offer: Offer) -> bool:
    """Whether a row says nothing at all: Airtable puts some into every new table. They are left out."""
    return is_blank(offer) and not offer.link


def is_blank(offer: Offer) -> bool:
    """Whether a row says nothing of SAYING: it is no offer yet, and `add` may fill it in.

    A process that is killed between the two writes with which AirtableStore adds what may be there already leaves one
    with a link alone.
    """
    return offer.status is Status.OTHER and not (
        offer.label or offer.key or offer.source or offer.title or offer.company
    )


def batch(given: Sequence[T]) -> Sequence[T]:
    """Return what a write is given, which must be at most BATCH."""
    if len(given) > BATCH:
        raise ValueError(f"a write takes {BATCH} offers at most")
    return given


def clean(value: str) -> str:
    """Return a text as every store takes it."""
    value = value.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    units = _HARMFUL.sub("", value).encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return units.decode("utf-16-le")
    return units[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", "ignore") + CUT


def text(value: object) -> str:
    """Return what a cell says, whatever is in it: a number, several options, an object that has a name."""
    match value:
        case str():
            return value
        case bool() | None:
            return ""
        case int() | float():
            return f"{value:g}" if isinstance(value, float) else str(value)
        case list():
            return ", ".join(filter(None, (text(each) for each in value[:100] if not isinstance(each, list))))
        case {"value": str() as said} | {"text": str() as said} | {"name": str() as said} | {"url": str() as said}:
            return said
        case _:
            return ""


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _datetime(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(value: datetime) -> str:
    """Return a moment as Airtable says it, to the second; one without a time zone is taken for UTC."""
    try:
        moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        moment = value.replace(tzinfo=UTC)
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + ".000Z"
