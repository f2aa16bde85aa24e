"""What is known of a job offer."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from lib.offers.statuses import Status


@dataclass(frozen=True)
class Offer:
    """A job offer, as the store keeps it; every text is plain text, empty where nothing is known."""

    link: str
    """Its own address; the store has one row per link."""
    key: str = ""
    """What tells it from others: `LinkedIn:4207844770`, or a fingerprint where the link says nothing."""
    source: str = ""
    """The site that sent the alert."""
    title: str = ""
    company: str = ""
    place: str = ""
    contract: str = ""
    salary: str = ""
    remote: str = ""
    published: date | None = None
    expires: date | None = None
    description: str = ""
    status: Status = Status.TO_COMPLETE
    label: str = ""
    """The status as the store has it, where it is one of the user's own."""
    score: float | None = None
    """From 0 to 100."""
    reasons: str = ""
    """A line per criterion: its mark and why."""
    profile: str = ""
    """Digest of the profile that it was analysed with."""
    note: str = ""
    """What happened to it, for people: why its page could not be read, what failed."""
    seen: datetime | None = None
    """When the alert with it was sent."""
    record: str = ""
    """The store's own id of its row; empty while it is not stored."""

    @property
    def name(self) -> str:
        """How it is called where people read of it."""
        return " · ".join(filter(None, (self.title, self.company))) or self.link or self.record


def fingerprint(source: str, *texts: str) -> str:
    """Return a key made of texts, however they are spelt: of an offer's title, company and place, or of its link."""
    digest = hashlib.sha256("|".join(map(_plain, texts)).encode(errors="replace")).hexdigest()
    return f"{source}:~{digest[:16]}"


def text_key(offer: Offer) -> str:
    """Return the fingerprint of an offer's own texts, by which it is known where its link cannot be followed.

    Empty where they are too few to tell it from others: without a title, or with neither company nor place.
    """
    enough = offer.title and (offer.company or offer.place)
    return fingerprint(offer.source, offer.title, offer.company, offer.place) if enough else ""


def _plain(text: str) -> str:
    """Return a text without accents, signs and capitals."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", letters).casefold().split())
