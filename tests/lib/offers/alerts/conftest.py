"""Messages for the tests."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from lib.offers.alerts.base import Card
from lib.offers.alerts.parsing import read_alert

Cards = Callable[[str, str], tuple[Card, ...]]


def letter(html: str = "", text: str = "") -> bytes:
    """Return a message with these bodies."""
    message = EmailMessage()
    message["From"] = "Alertes <alertes@site.example>"
    message["Subject"] = "Vos offres"
    message["Date"] = "Mon, 02 Nov 2026 07:30:00 +0100"
    if text:
        message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html") if text else message.set_content(html, subtype="html")
    return message.as_bytes()


@pytest.fixture
def cards() -> Cards:
    """Read the offers of HTML that a source sent."""
    return lambda source, html: read_alert(letter(html), source).cards
