"""From alerts to offers."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from lib.errors import InputError
from lib.offers.alerts import words
from lib.offers.alerts.base import Alert, Card, Identity, Message
from lib.offers.alerts.links import Link, anonymous
from lib.offers.alerts.page import lines_of_html
from lib.offers.alerts.registry import sender_of
from lib.offers.alerts.site import Site
from lib.offers.offer import Offer, fingerprint, text_key
from lib.offers.statuses import Status

_BEGINNING = 40
"""Lines of a message in which it says that there is nothing."""


def offers_of(alert: Alert, source: str, resolve: Callable[[str], str | None]) -> list[Offer]:
    """Return the offers of an alert of a source, each once, to be completed.

    `resolve` follows a link of the sender's own tracker and returns where it ends, or None; it is asked where the link
    alone does not say which offer it leads to. An alert that says that there is nothing new has none. Raises InputError
    for one without an offer that does not say so.
    """
    found: dict[str, Offer] = {}
    for offer in _offers(alert, source, resolve):
        found[offer.key] = max(found.get(offer.key, offer), offer, key=_fullness)
    if not found and not _says_nothing(alert.message):
        raise InputError(
            f"no offer was found in this message of {source}: it is no alert, or the site has changed its layout"
        )
    return list(found.values())


def _fullness(offer: Offer) -> int:
    return sum(map(bool, (offer.company, offer.place, offer.contract, offer.salary, offer.remote)))


def _says_nothing(message: Message) -> bool:
    """Say whether a message says that there is no offer. One that counts offers has some that were not found."""
    shown = [line.text for line in lines_of_html(message.html)[:_BEGINNING]]
    lines = [message.subject, *shown, *message.text.splitlines()[:_BEGINNING]]
    return not words.counted(message.subject) and any(map(words.nothing, lines))


def _offers(alert: Alert, source: str, resolve: Callable[[str], str | None]) -> Iterator[Offer]:
    sender = sender_of(source)
    for card in alert.cards:
        identity, link = _address(card, sender, resolve)
        offer = Offer(
            link, "", source, card.title, card.company, card.place, card.contract, card.salary, card.remote,
            status=Status.TO_COMPLETE, seen=alert.message.sent,
        )  # fmt: skip
        if identity:
            key = f"{source}:{identity.offer_id}"
        else:
            # A tracker's link is another one in every alert: what the offer says stays.
            key = (sender.tracks(card.link) and text_key(offer)) or fingerprint(source, link)
        yield replace(offer, key=key)


def _address(card: Card, sender: Site, resolve: Callable[[str], str | None]) -> tuple[Identity | None, str]:
    """Return which offer a card leads to, as far as it can be known, and the best address of it."""
    identity = sender.identify(card.link)
    if identity:
        return identity, identity.link
    if not sender.tracks(card.link):
        return None, anonymous(card.link)
    end = resolve(card.link)
    identity = sender.identify(end) if end else None
    if identity:
        return identity, identity.link
    return None, anonymous(end) if end and _is_elsewhere(end, card.link) else card.link


def _is_elsewhere(end: str, link: str) -> bool:
    """Say whether a link ended on another site, as the employer's; on the sender's own it is no page of an offer."""
    reached, begun = Link.read(end), Link.read(link)
    if not reached or not begun or reached.path in {"", "/"}:
        return False
    return reached.host.split(".")[-2:] != begun.host.split(".")[-2:]
