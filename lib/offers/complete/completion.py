"""Phase 2 of one offer: its page is fetched and read, and the offer goes on with what was found."""

from dataclasses import replace
from datetime import date
from typing import Protocol

from lib.offers.complete.filling import filled
from lib.offers.complete.judgement import Kind
from lib.offers.complete.posting import offer_number
from lib.offers.complete.reading import Reading, read_page
from lib.offers.complete.texts import cut
from lib.offers.offer import Offer
from lib.offers.statuses import Status
from lib.web.outcomes import Gone, NoPage, Unavailable

NOTE = 500
"""Characters of a note."""


class Page(Protocol):
    """A page that was fetched."""

    @property
    def url(self) -> str:
        """Where it came from, at the end of all redirects."""

    @property
    def text(self) -> str:
        """Its text, decoded."""


class Client(Protocol):
    """Fetches pages politely; `lib.web.client.WebClient` does."""

    def get(self, url: str) -> Page:
        """Return a page; raises NoPage when there is none to be had."""


def complete(offer: Offer, client: Client, today: date) -> Offer:
    """Return an offer with what its page says, and the status that follows from it; only `Stopped` is raised.

    - TO_ANALYSE: its page was read, or cannot be (refused, a login, a question for robots, nothing on it): the note
      says so, and what the e-mail said stays.
    - EXPIRED: the page says so, its last day is over, the site leads elsewhere, or answers 404 or 410. A 404 at the end
      of a link that names no offer, such as a tracker's, says nothing of the offer.
    - ERROR: trouble that may pass (time-outs, 5xx, no network); a run with `retry` tries again.

    The link stays what it is, wherever it leads: the store knows the offer by it.
    """
    try:
        page = client.get(offer.link)
    except Gone as gone:
        if gone.status == 410 or offer_number(offer):
            return _ended(offer, Status.EXPIRED, f"Expired: {gone}")
        return _ended(offer, Status.TO_ANALYSE, f"Its page was not read: {gone}")
    except NoPage as trouble:
        # A name that is not found is, on a machine without network, every name.
        if trouble.passing or isinstance(trouble, Unavailable):
            return _ended(offer, Status.ERROR, f"Its page was not had, a run with `retry` tries again: {trouble}")
        return _ended(offer, Status.TO_ANALYSE, f"Its page was not read: {trouble}")
    return completed(offer, read_page(page.text, page.url, offer, today))


def completed(offer: Offer, reading: Reading) -> Offer:
    """Return an offer with what was read of its page, and the status that follows from it."""
    known = filled(offer, reading.stated, reading.shown)
    match reading.verdict.kind:
        case Kind.OFFER:
            return _ended(known, Status.TO_ANALYSE, "")
        case Kind.EXPIRED:
            return _ended(known, Status.EXPIRED, f"Expired: {reading.verdict.reason}")
    return _ended(offer, Status.TO_ANALYSE, f"Its page was not read: {reading.verdict.reason}")


def _ended(offer: Offer, status: Status, note: str) -> Offer:
    # Its label was that of the status that it had.
    return replace(offer, status=status, label="", note=cut(" ".join(note.split()), NOTE))
