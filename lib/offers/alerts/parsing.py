"""From a message as it was sent to the alert that it is."""

from lib.offers.alerts import mime
from lib.offers.alerts.base import Alert, Message
from lib.offers.alerts.page import LARGEST, seen
from lib.offers.alerts.registry import sender_of
from lib.offers.alerts.text import plain

_LONGEST_LINE = 5_000
_MOST_LINES = 20_000


def read_alert(raw: bytes, source: str) -> Alert:
    """Read a message of a source and the offers that it shows; none when there are none.

    Raises InputError for a message that cannot be read.
    """
    message = mime.opened(raw)
    plains: list[str] = []
    pages: list[str] = []
    left = LARGEST
    for kind, text in mime.texts(message):
        (pages if kind == "text/html" else plains).append(text[:left])
        left -= min(left, len(text))
    rows = "\n".join(plains).splitlines()[:_MOST_LINES]
    read = Message(
        sender=mime.sender(message),
        subject=mime.header(message, "subject"),
        sent=mime.sent(message),
        text="\n".join(plain(row, _LONGEST_LINE) for row in rows).strip(),
        html="".join(map(seen, pages)),
    )
    return Alert(read, tuple(sender_of(source).cards(read)))
