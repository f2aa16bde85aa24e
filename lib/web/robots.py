"""What a site's robots.txt allows: fetched once for each origin, and kept for a while."""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from protego import Protego

from lib.web.clock import Clock
from lib.web.network import SLICE, Check
from lib.web.options import WebOptions
from lib.web.places import Place

MOST_ORIGINS = 1000
MOST_SITEMAPS = 1000
_USER_AGENT = re.compile(r"user[- ]?agent ?[: ] ?(.*)", re.IGNORECASE)
_RULE = re.compile(r"allow|dis|dias|crawl|site-?map", re.IGNORECASE)  # the parser knows some misspellings
_TOKEN = re.compile(r"[a-z_-]+")
_OTHERS = "~"
"""Name of all other robots; none can be called so."""

Fetch = Callable[[Place], bytes | None]
"""Returns what a site's robots.txt says; None when there is none. Raises NoPage when that cannot be known now."""


@dataclass(frozen=True)
class Rules:
    """The rules of one robots.txt for one robot."""

    delay: float = 0
    """`Crawl-delay`, in seconds."""
    sitemaps: tuple[str, ...] = ()
    """Addresses of sitemaps as they are written there, for whoever looks for pages."""
    _parsed: Protego | None = field(default=None, repr=False)
    _agent: str = ""

    def allow(self, address: str) -> bool:
        """Return whether a page may be fetched."""
        return self._parsed is None or bool(self._parsed.can_fetch(address, self._agent))


def rules_of(text: str, agent: str) -> Rules:
    """Return what a robots.txt says to a robot, which is called by its product token."""
    parsed = Protego.parse(_plain(text.removeprefix("\ufeff"), agent.lower()))
    sitemaps = tuple(dict.fromkeys(list(parsed.sitemaps)[:MOST_SITEMAPS]))
    return Rules(parsed.crawl_delay(agent) or 0, sitemaps, parsed, agent)


class Robots:
    """The rules of sites; used by any number of threads."""

    def __init__(self, fetch: Fetch, options: WebOptions, clock: Clock) -> None:
        self._fetch = fetch
        self._options = options
        self._clock = clock
        self._kept: dict[str, tuple[float, Rules]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def rules(self, place: Place, check: Check) -> Rules:
        """Return the rules for a place, fetched when they are not known; raises NoPage when they cannot be."""
        with self._lock:
            lock = self._locks.setdefault(place.origin, threading.Lock())
        while not lock.acquire(timeout=SLICE):
            check()
        try:
            until, rules = self._kept.get(place.origin, (0.0, Rules()))
            if self._clock.now() < until:
                return rules
            body = self._fetch(place)
            rules = Rules() if body is None else rules_of(body.decode("utf-8", "replace"), self._options.robot)
            with self._lock:
                if len(self._kept) >= MOST_ORIGINS:
                    self._drop(next(iter(self._kept)))
                self._kept.pop(place.origin, None)
                self._kept[place.origin] = (self._clock.now() + self._options.robots_age, rules)
            return rules
        finally:
            lock.release()

    def known(self, place: Place) -> Rules:
        """Return the rules for a place as far as they are known."""
        return self._kept.get(place.origin, (0.0, Rules()))[1]

    def _drop(self, origin: str) -> None:
        del self._kept[origin]
        with suppress(KeyError):
            del self._locks[origin]


def _plain(text: str, agent: str) -> str:
    """Return what of a robots.txt matters, for a parser that is more generous than RFC 9309.

    Robots are told apart by their product token alone, and lines that are no rules end no group of names. All robots
    but ours get one name: the parser notes every rule of a group for every name, and half a megabyte can be written so
    that this takes minutes.
    """
    lines: list[str] = []
    for line in text.splitlines():
        words = " ".join(line.partition("#")[0].split())
        if found := _USER_AGENT.match(words):
            name = f"user-agent: {_token(found[1].lower(), agent)}"
            if lines[-1:] != [name]:
                lines.append(name)
        elif _RULE.match(words):
            lines.append(line)
    return "\n".join(lines)


def _token(name: str, agent: str) -> str:
    if name.startswith("*"):
        return "*"
    found = _TOKEN.match(name)
    return agent if found and found[0] == agent else _OTHERS
