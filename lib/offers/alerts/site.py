"""A site that sends alerts: what is common to all, so that a sender's file says only what is particular to it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

from lib.offers.alerts import words
from lib.offers.alerts.base import Card, Identity, Message
from lib.offers.alerts.blocks import Block, Role, blocks
from lib.offers.alerts.lines import Line, lines_of_text
from lib.offers.alerts.links import Link
from lib.offers.alerts.page import lines_of_html

MOST_CARDS = 300
"""Offers of an alert that are looked at."""
_PARTS = re.compile(r"\s*[•·|]\s*")
_SENTENCE = 100
"""Characters from which on a line is a description, no name of a firm or of a place."""
_FLAG = 60
_COMPANY = re.compile(r"/(?:company|companies|entreprises?|cmp|recruteurs?)/")


class Site(ABC):
    """A sender; each has a subclass in `senders`."""

    name = ""
    """The source of its offers: `LinkedIn`."""
    addresses: tuple[str, ...] = ()
    """Where its alerts come from, in lower case: whole addresses, or domains that begin with `@`."""
    trackers: re.Pattern[str] | None = None
    """The hosts of its trackers; None where it has none that keep to themselves where they lead."""
    order: tuple[str, ...] = ("title", "company", "place")
    """What those texts of an offer are, in their order, that do not say it themselves."""

    @abstractmethod
    def offer(self, link: Link) -> Identity | None:
        """Return which offer a link leads to; None for any other link."""

    def mark(self, link: str) -> str:
        """Return what links of its trackers have in common that lead to the same offer, and no others."""
        return link

    def parts(self, text: str) -> list[str]:
        """Return what a line under a title says, part by part."""
        return _PARTS.split(text)

    def identify(self, link: str) -> Identity | None:
        """Return which offer a link leads to, from the link alone; None for any other link, a look-alike's included."""
        parsed = Link.read(link)
        return self.offer(parsed) if parsed else None

    def tracks(self, link: str) -> bool:
        """Say whether only the sender's server knows where a link leads: its own tracker's."""
        parsed = Link.read(link)
        return bool(parsed and self.trackers and self.trackers.fullmatch(parsed.host)) and self.identify(link) is None

    def may_lead(self, link: str) -> bool:
        """Say whether a link that says of no offer may yet lead to one."""
        return self.tracks(link)

    def cards(self, message: Message) -> Sequence[Card]:
        """Return the offers that a message shows, in their order."""
        return self._cards(lines_of_html(message.html)) or self._cards(lines_of_text(message.text))

    def _cards(self, lines: list[Line]) -> list[Card]:
        found = (self._card(lines, block) for block in blocks(lines, self._role)[:MOST_CARDS])
        return [card for card in found if card]

    def _role(self, line: Line) -> tuple[Role, str]:
        if identity := self.identify(line.link):
            return Role.OFFER, f"={identity.offer_id}"
        if not line.text:
            return Role.TEXT, ""
        if not self.may_lead(line.link) or words.navigation(line.text):
            return (Role.TEXT if _COMPANY.search(line.link) else Role.ELSEWHERE), ""
        return (Role.BUTTON, line.link) if words.button(line.text) else (Role.OFFER, self.mark(line.link))

    def _card(self, lines: list[Line], block: Block) -> Card | None:
        members = block.members(lines)
        heads = [mark for mark in block.marks if lines[mark].text and not words.button(lines[mark].text)]
        if heads and self.order[0] == "title":
            members = [number for number in members if number >= heads[0]]
        elif not heads:
            members = _above(lines, members, block.marks[0])
        identity = self.identify(lines[block.marks[0]].link)
        link = identity.link if identity else lines[(heads or block.marks)[0]].link
        texts = [lines[number].text for number in members]
        card = self.read(link, [text for text in texts if text and not words.button(text)])
        return card if card.title and (identity or _convinces(card)) else None

    def read(self, link: str, texts: list[str]) -> Card:
        """Return the offer of these texts, the lines of its block from top to bottom."""
        order = self.order
        before = order.index("title")
        if before and len(texts) < 3 and (len(texts) < 2 or any(map(words.contract, self.parts(texts[1])))):
            order, before = ("title", "place"), 0  # what stands above the title was left out
        named = dict(zip(order[: before + 1], (words.bare(text) for text in texts), strict=False))
        said: dict[str, str] = {}
        names: list[str] = []
        flags: list[str] = []
        for part in self._unlike(named.values(), texts[before + 1 :]):
            kind = next((kind for kind in ("contract", "salary", "remote") if getattr(words, kind)(part)), "")
            if kind and kind not in said:
                said[kind] = part
            elif words.badge(part):
                flags.append(part)
            elif not kind and len(names) < len(order[before + 1 :]) and _is_name(part):
                names.append(part)
            elif not kind and len(part) <= _FLAG:
                flags.append(part)
        named |= _named(order[before + 1 :], names)
        place, remote = words.placed(named.get("place", ""))
        return Card(
            link, named.get("title", ""), named.get("company", ""), place,
            said.get("contract", ""), said.get("salary", ""), said.get("remote", "") or remote, tuple(flags[:10]),
        )  # fmt: skip

    def _unlike(self, already: Iterable[str], texts: Iterable[str]) -> Iterator[str]:
        seen = {text.casefold() for text in already}
        for text in texts:
            for part in (words.bare(part) for part in self.parts(text)):
                if part and part.casefold() not in seen and not words.noise(part):
                    seen.add(part.casefold())
                    yield part


def _above(lines: list[Line], members: list[int], mark: int) -> list[int]:
    """Return the lines of an offer that has nothing but a button: those nearest to it that can be title and firm.

    What stands further up, as the heading of the message does, is left out.
    """
    near = {number: lines[number].near(lines[mark]) for number in members}
    kept: list[int] = []
    for depth in sorted(set(near.values()), reverse=True):
        kept = [number for number in members if near[number] >= depth]
        if sum(_may_be_name(lines[number].text) for number in kept) >= 2:
            break
    return kept


def _may_be_name(text: str) -> bool:
    labelled = (words.button, words.noise, words.badge, words.contract, words.salary, words.remote)
    return bool(text) and not any(says(text) for says in labelled)


def _is_name(text: str) -> bool:
    ends = text.endswith(("…", "...", "?", ":")) or (text.endswith((".", "!")) and text.count(" ") > 4)
    return len(text) <= _SENTENCE and not ends


def _named(order: tuple[str, ...], names: list[str]) -> dict[str, str]:
    """Say which name is the firm's and which the place: in their order, but for what is surely a place."""
    if "company" in order and "place" in order and names:
        sure = [words.place(name) for name in names]
        if len(names) == 1:
            return {"place" if sure[0] else "company": names[0]}
        where = order.index("place")
        if not sure[where] and sure[1 - where]:
            names = [names[1], names[0], *names[2:]]
    return dict(zip(order, names, strict=False))


def _convinces(card: Card) -> bool:
    """Say whether this is an offer though its link does not say so."""
    if words.navigation(card.title) or len(card.title) < 3:
        return False
    labelled = card.contract or card.salary or card.remote or words.place(card.place) or words.title(card.title)
    return bool(labelled or (card.company and card.place))
