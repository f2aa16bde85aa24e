"""Phase 1: alerts that nobody has read become offers in the store."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from lib.errors import InputError
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


@dataclass
class _Alert:
    """An alert whose offers are on their way into the store."""

    envelope: Envelope
    new: int = 0
    known: int = 0
    waiting: int = 0
    refusal: str = ""


def import_alerts(
    envelopes: Iterable[Envelope], mailbox: Mailbox, board: OfferBoard, writing: Writing, resolve: Resolve, ended: Ended
) -> None:
    """Write the offers of these messages that the board does not know, and flag each message once all are stored.

    A message that fails is left as it is, for the next run. Raises UnavailableError when mailbox or store cannot be
    reached any more: what was stored stays, and messages that were not flagged are read again, which changes nothing.
    """
    done: list[_Alert] = []
    for envelope in envelopes:
        alert = _Alert(envelope)
        try:
            found = offers_of(read_alert(mailbox.fetch(envelope), envelope.source), envelope.source, resolve)
        except MessageGoneError:
            board.handled(envelope.source)
            ended(envelope.id, _item(alert, ItemState.SKIPPED, "It is no longer in the mailbox."))
            continue
        except InputError as error:
            ended(envelope.id, _item(alert, ItemState.FAILED, str(error)))
            continue
        alert.waiting = 1  # until all of its offers are on their way
        for offer in found:
            _bring_in(offer, alert, done, board, writing)
        _settle(alert, done)
        _flag(done, mailbox, board, ended)
    writing.flush()
    _flag(done, mailbox, board, ended)


def _bring_in(offer: Offer, alert: _Alert, done: list[_Alert], board: OfferBoard, writing: Writing) -> None:
    known = board.find(offer)
    if known is not None and not is_blank(known):
        alert.known += 1
        return
    alert.waiting += 1
    writing.add(offer, partial(_stored, alert, done), partial(_refused, alert, done))


def _stored(alert: _Alert, done: list[_Alert], _offer: Offer) -> None:
    alert.new += 1
    _settle(alert, done)


def _refused(alert: _Alert, done: list[_Alert], reason: str) -> None:
    alert.refusal = reason
    _settle(alert, done)


def _settle(alert: _Alert, done: list[_Alert]) -> None:
    alert.waiting -= 1
    if not alert.waiting:
        done.append(alert)


def _flag(done: list[_Alert], mailbox: Mailbox, board: OfferBoard, ended: Ended) -> None:
    """Flag the messages whose offers are all stored, and say what became of them."""
    stored = [alert for alert in done if not alert.refusal]
    if stored:
        mailbox.handled([alert.envelope for alert in stored])
    for alert in done:
        if alert.refusal:
            ended(alert.envelope.id, _item(alert, ItemState.FAILED, f"The store refuses an offer: {alert.refusal}"))
        else:
            board.handled(alert.envelope.source)
            ended(alert.envelope.id, _item(alert, ItemState.DONE))
    done.clear()


def _item(alert: _Alert, state: ItemState, reason: str = "") -> Item:
    counts = {"new_offers": alert.new, "known_offers": alert.known} if state is ItemState.DONE else {}
    return Item(subject=alert.envelope.name, state=state, reason=reason, counts=counts)
