"""Phase 1: alerts that nobody has read become offers in the store."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from lib.errors import InputError, UnavailableError
from lib.offers.alerts.conversion import offers_of
from lib.offers.alerts.parsing import read_alert
from lib.offers.board import OfferBoard
from lib.offers.mail.base import Envelope, Mailbox, MessageGoneError
from lib.offers.offer import Offer
from lib.offers.stores.rows import is_blank
from lib.offers.writing import Writing
from lib.runs.report import Item, ItemState

Resolve = Callable[[str], str | None]
"""Returns where a tracked link leads; None when that cannot be found out."""
Ended = Callable[[str, Item], None]
"""Is told the id of a message and what became of it."""
FLAGGED_AT_ONCE = 10
"""Messages that are flagged together: one by one, a large mbox would be written anew for each."""


def import_alerts(
    envelopes: Iterable[Envelope], mailbox: Mailbox, board: OfferBoard, writing: Writing, resolve: Resolve, ended: Ended
) -> None:
    """Write the offers of these messages that the board does not know, and flag each message once all are stored.

    A message that fails is left as it is, for the next run, and so is one that cannot be flagged, which then changes
    nothing when it is read again. However it ends, what was read is written. Raises UnavailableError when the mailbox
    or the store cannot be reached any more.
    """
    work = _Import(mailbox, board, writing, resolve, ended)
    try:
        for envelope in envelopes:
            work.read(envelope)
    except BaseException:
        with suppress(UnavailableError):
            work.finish()
        raise
    work.finish()


@dataclass
class _Alert:
    """An alert whose offers are on their way into the store."""

    envelope: Envelope
    new: int = 0
    known: int = 0
    waiting: int = 1
    """Offers that are not stored yet, and one until all of them are on their way."""
    refusal: str = ""


class _Import:
    def __init__(self, mailbox: Mailbox, board: OfferBoard, writing: Writing, resolve: Resolve, ended: Ended) -> None:
        self._trouble: UnavailableError | None = None
        """Why messages cannot be flagged, once that was tried."""
        self._mailbox = mailbox
        self._board = board
        self._writing = writing
        self._resolve = resolve
        self._ended = ended
        self._on_their_way: dict[str, list[_Alert]] = {}
        """The alerts that each offer which is not stored yet came in, by its link."""
        self._done: list[_Alert] = []

    def read(self, envelope: Envelope) -> None:
        """Read a message and have its offers written."""
        alert = _Alert(envelope)
        try:
            raw = self._mailbox.fetch(envelope)
            found = offers_of(read_alert(raw, envelope.source), envelope.source, self._resolve)
        except MessageGoneError:
            self._board.handled(envelope.source)
            self._ended(envelope.id, _item(alert, ItemState.SKIPPED, "It is no longer in the mailbox."))
            return
        except InputError as error:
            self._ended(envelope.id, _item(alert, ItemState.FAILED, str(error)))
            return
        for offer in found:
            self._bring_in(offer, alert)
        self._settle(alert)
        if len(self._done) >= FLAGGED_AT_ONCE:
            self._flag()

    def finish(self) -> None:
        """Have the rest written and flagged."""
        try:
            self._writing.flush()
        finally:
            self._flag()

    def _bring_in(self, offer: Offer, alert: _Alert) -> None:
        known = self._board.find(offer)
        if known is not None and known.record and not is_blank(known):
            alert.known += 1
            return
        alert.waiting += 1
        if known is not None and known.link in self._on_their_way:
            alert.known += 1
            self._on_their_way[known.link].append(alert)
            return
        self._on_their_way[offer.link] = [alert]
        self._writing.add(offer, partial(self._stored, offer), partial(self._refused, offer))

    def _stored(self, offer: Offer, row: Offer) -> None:
        first, *others = self._on_their_way.pop(offer.link)
        # It may have been there already, among those that the board was not filled with.
        if row.status is offer.status:
            first.new += 1
        else:
            first.known += 1
        for alert in (first, *others):
            self._settle(alert)

    def _refused(self, offer: Offer, reason: str) -> None:
        for alert in self._on_their_way.pop(offer.link):
            alert.refusal = reason
            self._settle(alert)

    def _settle(self, alert: _Alert) -> None:
        alert.waiting -= 1
        if not alert.waiting:
            self._done.append(alert)

    def _flag(self) -> None:
        """Flag the messages whose offers are all stored, and say what became of them."""
        done, self._done = self._done, []
        stored = [alert for alert in done if not alert.refusal]
        try:
            if stored and self._trouble is None:
                self._mailbox.handled([alert.envelope for alert in stored])
        except UnavailableError as error:
            self._trouble = error
        for alert in done:
            if alert.refusal:
                reason = f"The store refuses an offer: {alert.refusal}"
                self._ended(alert.envelope.id, _item(alert, ItemState.FAILED, reason))
            elif self._trouble is not None:
                reason = f"Its offers are stored, but it cannot be flagged: {self._trouble}"
                self._ended(alert.envelope.id, _item(alert, ItemState.FAILED, reason))
            else:
                self._board.handled(alert.envelope.source)
                self._ended(alert.envelope.id, _item(alert, ItemState.DONE))


def _item(alert: _Alert, state: ItemState, reason: str = "") -> Item:
    counts = {"new_offers": alert.new, "known_offers": alert.known} if state is ItemState.DONE else {}
    return Item(subject=alert.envelope.name, state=state, reason=reason, counts=counts)
