"""Why a page was not had: a small closed set, each with a reason in words and whether it passes by itself."""
# ruff: noqa: N818 - these are outcomes, called what happened; most are no fault of anyone's

from typing import ClassVar, Literal, Self


class NoPage(Exception):
    """The page was not had; `str()` says why, in words that name the host and never the whole address."""

    kind: ClassVar[str] = "none"
    """The outcome's name in tables and counts."""

    def __init__(
        self, reason: str, *, passing: bool = False, status: int | None = None, after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing
        """Whether asking again later may well succeed; it was asked again already, as often as the options say."""
        self.status = status
        """What the host answered; None where it did not come to that."""
        self.after = after
        """Seconds for which the host asked to be left alone."""


class Refused(NoPage):
    """Somebody said no: the site's robots.txt, the site itself (401, 403, 451, …), or this client, which is careful."""

    kind = "refused"

    def __init__(self, reason: str, *, by: Literal["robots", "site", "us"], status: int | None = None) -> None:
        super().__init__(reason, status=status)
        self.by = by


class Blocked(NoPage):
    """The site takes this client for a bot: a challenge instead of the page, or a 429 that does not pass."""

    kind = "blocked"


class Gone(NoPage):
    """The site says that there is no such page (404, 410)."""

    kind = "gone"


class Unavailable(NoPage):
    """The site could not be reached or is out of order: time-outs, names, connections, certificates, 5xx."""

    kind = "unavailable"


class TooLarge(NoPage):
    """The answer is larger than the options allow: on the wire, decompressed, or its headers."""

    kind = "too large"


class BadRedirect(NoPage):
    """Redirects lead round in circles, too far, nowhere, or to a place that is refused."""

    kind = "bad redirect"


class NotText(NoPage):
    """The answer is no text (a picture, a PDF, …), or packed in a way that cannot be undone."""

    kind = "not text"


class Stopped(Exception):
    """The caller wanted no more, or closed the client; this says nothing about the page."""

    @classmethod
    def by_the_caller(cls) -> Self:
        """Return it with its words."""
        return cls("the fetch was stopped")
