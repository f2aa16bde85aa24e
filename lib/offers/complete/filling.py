"""The one rule by which what a page says is put to what the e-mail said."""

from dataclasses import replace
from datetime import date

from lib.offers.complete.posting import Posting
from lib.offers.complete.texts import folded, is_cut
from lib.offers.offer import Offer

_LINES = ("title", "company", "place", "contract", "salary", "remote")


def filled(offer: Offer, stated: Posting | None, shown: Posting) -> Offer:
    """Return an offer with what its page says put in; good data of the e-mail are never lost to worse.

    What is missing comes from what the page states for machines, or else from what it shows. What is there stays,
    unless it was cut short in the e-mail, or the page states the same with more words (`Lyon` → `Lyon, Rhône, FR`). A
    description gives way to a longer one, and the day on which the offer ends to the one that the page states.
    """
    said = (stated or Posting()).over(shown)
    changes: dict[str, str | date | None] = {
        name: getattr(said, name)
        for name in _LINES
        if _better(getattr(said, name), getattr(offer, name), sure=bool(stated and getattr(stated, name)))
    }
    if len(said.description) > len(offer.description):
        changes["description"] = said.description
    if said.published and not offer.published:
        changes["published"] = said.published
    if said.expires:
        changes["expires"] = said.expires
    return replace(offer, **changes)  # type: ignore[arg-type]


def _better(new: str, old: str, *, sure: bool) -> bool:
    if not new or not old:
        return bool(new)
    ours, theirs = folded(old), folded(new)
    if is_cut(old):
        return len(theirs) > len(ours) and theirs.startswith(ours.rsplit(" ", 1)[0])
    return sure and len(theirs) > len(ours) and f" {ours} " in f" {theirs} "
