"""From alerts to offers."""

from collections.abc import Callable, Iterator

from lib.errors import InputError
from lib.offers.alerts import words
from lib.offers.alerts.base import Alert, Card, Identity
from lib.offers.alerts.links import Link, anonymous
from lib.offers.alerts.registry import sender_of
from lib.offers.alerts.site import Site
from lib.offers.offer import Offer, fingerprint
from lib.offers.statuses import Status


def offers_of(alert: Alert, source: str, resolve: Callable[[str], str | None]) -> list[Offer]:
    """Return the offers of an alert of a source, each once, to be completed.

    `resolve` follows a link of the sender's own tracker and returns where it ends, or None; it is asked where the link
    alone does not say which offer it leads to. An alert that says that there is nothing new has none. Raises InputError
    for one without an offer that does not say so.
    """
    found: dict[str, Offer] = {}
    for offer in _offers(alert, source, resolve):
        earlier = found.setdefault(offer.key, offer)
        if not earlier.title and offer.title:
            found[offer.key] = offer
    if not found and not words.nothing(f"{alert.message.subject}\n{alert.message.text or alert.message.html}"):
        raise InputError(
            f"no offer was found in this message of {source}: it is no alert, or the site has changed its layout"
        )
    return list(found.values())


def _offers(alert: Alert, source: str, resolve: Callable[[str], str | None]) -> Iterator[Offer]:
    sender = sender_of(source)
    for card in alert.cards:
        identity, link = _address(card, sender, resolve)
        key = f"{source}:{identity.offer_id}" if identity else fingerprint(source, card.title, card.company, card.place)
        yield Offer(
            link, key, source, card.title, card.company, card.place, card.contract, card.salary, card.remote,
            status=Status.TO_COMPLETE, seen=alert.message.sent,
        )  # fmt: skip


def _address(card: Card, sender: Site, resolve: Callable[[str], str | None]) -> tuple[Identity | None, str]:
    """Return which offer a card leads to, as far as it is known, and the best address of it."""
    identity = sender.identify(card.link)
    tracked = identity is None and sender.tracks(card.link)
    end = resolve(card.link) if tracked else None
    if end and (identity := sender.identify(end)):
        return identity, identity.link
    if identity:
        return identity, identity.link
    reached = Link.read(end) if end else None
    # An end that is no offer's, on a site of the sender: its list of offers, since this one is gone.
    if end and reached and not sender.tracks(end) and reached.path not in {"", "/"} and not _same_site(end, card.link):
        return None, anonymous(end)
    return None, card.link if tracked and sender.addresses else anonymous(card.link)


def _same_site(one: str, other: str) -> bool:
    first, second = Link.read(one), Link.read(other)
    return bool(first and second and first.host.split(".")[-2:] == second.host.split(".")[-2:])
