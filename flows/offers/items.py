"""The offers of a cell of the table, for people to look at."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from flows.offers.opening import open_store
from lib.errors import InputError
from lib.offers.offer import Offer
from lib.offers.options import OffersOptions
from lib.offers.statuses import Status
from lib.offers.stores.base import PAGE


def items(parameters: Mapping[str, Any], wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the offers of a `source` (of all when empty) with a `status`, the best first: one call per 100 of them.

    `parameters` are those of a run: its store and its options; `limit` is how many are wanted at most, 100 when it is
    not said. Raises InputError and UnavailableError.
    """
    status = wanted.get("status", "")
    if status not in set(Status):
        raise InputError(f"There is no status {status!r}: there are {', '.join(Status)}.")
    options = OffersOptions.model_validate(parameters.get("options") or {})
    with closing(open_store(str(parameters["store"]), options, must_exist=True)) as store:
        found = store.find(wanted.get("source", ""), Status(status), limit=int(wanted.get("limit", PAGE)))
        return [_as_item(offer, options) for offer in found]


def _as_item(offer: Offer, options: OffersOptions) -> dict[str, Any]:
    return {
        "title": offer.title,
        "company": offer.company,
        "place": offer.place,
        "score": offer.score,
        "reasons": offer.reasons,
        "note": offer.note,
        "link": offer.link,
        "status": offer.label or options.store.statuses.name(offer.status),
        "source": offer.source,
        "published": offer.published.isoformat() if offer.published else None,
    }
