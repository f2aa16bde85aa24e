"""What kind of page an offer's address led to: the offer, what became of it, or what stands before it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from lib.offers.complete.document import shown, texts
from lib.offers.complete.open_graph import meta, page_title
from lib.offers.complete.phrases import GONE, GONE_TITLE, ROBOT_TEXT, ROBOT_TITLE
from lib.offers.complete.posting import ALIKE, Posting, offer_number
from lib.offers.complete.texts import agreement, folded
from lib.offers.offer import Offer


class Kind(StrEnum):
    """What a page is."""

    OFFER = "offer"
    EXPIRED = "expired"
    LOGIN = "login"
    """The site asks who is there before it shows anything."""
    BLOCKED = "blocked"
    """The site asks whether a person is there."""
    NOTHING = "nothing"
    """It says nothing of the offer."""


@dataclass(frozen=True)
class Verdict:
    """What a page is, and by what this was seen, for people."""

    kind: Kind
    reason: str = ""


LITTLE = 1500
"""Seen characters up to which a page may be a form or a question instead of an offer."""
NOTICE = 200
"""Characters that a notice has at most; a line of notices has twice as many."""

_LOGIN = re.compile(
    r"/(?:auth-?wall|log-?in|sign-?in|sign-?up|register|checkpoint|uas|connexion|inscription|se-connecter|identification|sso|auth"
    r"|authentification|account/login)(?:[/.?]|$)",
    re.IGNORECASE,
)
_HOME = re.compile(r"(?:/[a-z]{2}(?:[-_][a-z]{2})?)?/?(?:index\.\w{2,5}|home|accueil)?/?", re.IGNORECASE)
_LIST = re.compile(
    r"(?<![a-z])(?:search|recherche|resultats?|results?)(?![a-z])|expired|not-?found|/404|error=true"
    r"|/(?:jobs?|emplois?|offres?|offres-emploi|offres-d-emploi|careers?|carrieres?|openings|positions|vacancies)(?:\.html?)?/?$",
    re.IGNORECASE,
)


def judge(root: Any, posting: Posting | None, offer: Offer, url: str, today: date) -> Verdict:
    """Say what a page is that came from `url` when the link of an offer was asked for.

    `posting` is what the page states of this very offer for machines. What a description says ("this position is no
    longer available in our Paris office") decides nothing: a notice is a sentence of its own in a short line, seen,
    outside the description, and says nothing else.
    """
    if posting and posting.expires and posting.expires < today:
        return Verdict(Kind.EXPIRED, f"it was open until {posting.expires.isoformat()}")
    seen = shown(root)
    if posting is None and len(seen) <= LITTLE:
        # What stands before an offer says little or nothing of it.
        known = agreement(offer.title, seen) >= ALIKE
        if not known and _asks_for_person(root, seen):
            return Verdict(Kind.BLOCKED, "it asks whether a person is there")
        fields = root.xpath("//input[translate(@type, 'PASWORD', 'pasword') = 'password']")
        if fields and (not known or len(seen) <= LITTLE / 3):
            return Verdict(Kind.LOGIN, "it asks to sign in")
    if posting is None and _LOGIN.search(urlsplit(url).path) and not _LOGIN.search(urlsplit(offer.link).path):
        return Verdict(Kind.LOGIN, "it asks to sign in")
    if notice := _notice(root, seen, posting.description if posting else ""):
        return Verdict(Kind.EXPIRED, f"its page says: {notice}")
    if posting is None and led_away(offer.link, url, offer_number(offer)):
        return Verdict(Kind.EXPIRED, "its address leads to another page of the site")
    return Verdict(Kind.OFFER)


def led_away(asked: str, url: str, number: str) -> bool:
    """Say whether a site led from an offer's address to its home page or to a list of offers."""
    ours, theirs = urlsplit(asked), urlsplit(url)
    # What leads to a page without its number may be a tracker, which has a host of its own and never was the offer.
    same = _site(ours) == _site(theirs) if number else ours.hostname == theirs.hostname
    moved = ours.path != theirs.path or ("error=true" in theirs.query and "error=true" not in ours.query)
    named = number and re.search(rf"(?<![^\W_]){re.escape(number)}(?![^\W_])", unquote(f"{theirs.path}?{theirs.query}"))
    if not same or not moved or named or _HOME.fullmatch(ours.path):
        return False
    return bool(_HOME.fullmatch(theirs.path) or _LIST.search(theirs.path) or _LIST.search(f"?{theirs.query}"))


def _site(parts: SplitResult) -> str:
    """Return the last two labels of a host, which is enough to say that two are of one site."""
    return ".".join((parts.hostname or "").split(".")[-2:])


def _asks_for_person(root: Any, seen: str) -> bool:
    lines = (folded(line) for line in seen.split("\n") if len(line) <= NOTICE)
    return bool(ROBOT_TITLE.match(folded(page_title(root)))) or any(ROBOT_TEXT.search(line) for line in lines)


def _notice(root: Any, seen: str, description: str) -> str:
    """Return the line by which a page says that the offer is gone; empty when there is none."""
    told = folded(description)
    for text in _titles(root):
        for part in [text, *re.split(r"\s+[|\-–—·•:]\s+", text)]:
            if GONE.fullmatch(folded(part)) or GONE_TITLE.fullmatch(folded(part)):
                return part
    for text in seen.split("\n"):
        for sentence in _sentences(text):
            words = folded(sentence)
            if GONE.fullmatch(words) and words not in told:
                return sentence
    return ""


def _titles(root: Any) -> Iterator[str]:
    yield page_title(root)
    yield meta(root).get("og:title", "")[:300]
    yield from (text[:300] for text in texts(root, "//h1 | //h2"))


def _sentences(text: str) -> Iterator[str]:
    """Give the first sentences of a line that is short enough for a notice."""
    line = text.removeprefix("- ").strip()
    if len(line) <= 2 * NOTICE:
        yield from (each.strip(" .!…")[:NOTICE] for each in re.split(r"(?<=[.!?…])\s", line)[:3])
