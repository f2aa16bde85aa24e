"""Which messages are alerts: the one rule for every kind of mailbox."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from lib.offers.mail.base import Doubt, Envelope
from lib.offers.mail.heading import Heading

SourceOf = Callable[[str], str | None]
"""Tells which site sends its alerts from an address, in lower case; None for any other."""


def known_sources(address: str) -> str | None:
    """Return the site that sends alerts from an address, of all that Régie knows."""
    from lib.offers.alerts.registry import source_of

    return source_of(address)


def judge(key: str, heading: Heading, size: int, source_of: SourceOf) -> Envelope | Doubt | None:
    """Say of a message whether it is an alert, looks like one and may be forged, or is none."""
    known = [(address, source) for address in heading.senders if (source := source_of(address))]
    if not known:
        return None
    address, source = known[0]
    envelope = Envelope(key, source, address, heading.subject, heading.sent, size)
    return Doubt(envelope.name, heading.forged) if heading.forged else envelope


def oldest_first(envelopes: Iterable[Envelope]) -> list[Envelope]:
    """Return messages in the order in which they were sent; those that do not say when come first."""
    return sorted(envelopes, key=lambda each: each.sent or datetime.min.replace(tzinfo=UTC))
