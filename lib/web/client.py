"""The client that fetches pages: politely, within limits, and never from where it should not."""

import random
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NoReturn, Self, TypeVar

from lib.web.cache import Cache, Kept
from lib.web.challenges import guard_of
from lib.web.charset import text_of
from lib.web.clock import Clock
from lib.web.following import Arrival, Follower
from lib.web.kinds import is_binary, is_text, kind_of
from lib.web.leash import Leash
from lib.web.network import Network
from lib.web.options import WebOptions
from lib.web.outcomes import BadRedirect, Blocked, NoPage, NotText, Refused, Stopped, Unavailable
from lib.web.pace import Pace
from lib.web.packing import unpacked
from lib.web.page import HEADERS, Page
from lib.web.places import Place, place_of
from lib.web.robots import Robots, Rules
from lib.web.verdicts import blocked, verdict
from lib.web.wire import Answer, Wire

ROBOTS_REDIRECTS = 5
"""Redirects of a robots.txt that are followed (RFC 9309); where there are more, there is none."""

T = TypeVar("T")


def _never() -> bool:
    return False


class WebClient:
    """Fetches pages; used by any number of threads, and closed by any of them.

    `stop` is asked many times a second; once it says True, or the client is closed, all that is under way ends with
    Stopped. Proxies of the environment are not used: a proxy would connect where this client may not. With a folder as
    `cache`, pages are kept there, and sites that can tell are asked only for those that changed.
    """

    def __init__(
        self,
        options: WebOptions | None = None,
        *,
        stop: Callable[[], bool] = _never,
        network: Network | None = None,
        clock: Clock | None = None,
        trust: ssl.SSLContext | None = None,
        cache: Path | None = None,
    ) -> None:
        self.options = options or WebOptions()
        self._stop = stop
        self._closed = threading.Event()
        self._clock = clock or Clock()
        self._wire = Wire(self.options, network or Network(), trust)
        self._pace = Pace(self.options, self._clock)
        self._follower = Follower(self._wire, self._pace, self.options, self._clock)
        self._cache = Cache(cache) if cache else None
        self._robots = Robots(self._robots_txt, self.options, self._clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End all that is under way, in whichever thread, and let go of all connections."""
        self._closed.set()
        self._wire.close()

    def get(self, url: str, *, any_kind: bool = False) -> Page:
        """Return a page; raises NoPage (see lib.web.outcomes) or Stopped.

        A page that is empty is a page. With `any_kind`, also what is no text (an archive of sitemaps, a picture).
        """
        return self._tried(lambda: self._page(url, any_kind))

    def resolve(self, url: str) -> str:
        """Return the address at which the redirects of a link end; raises NoPage or Stopped.

        For links of mails, which lead through trackers. No body is read, and no robots.txt asked: the link is followed
        once, for the person who got the mail, as by a click; the page that it leads to is then fetched with `get`,
        which does ask. What the last host answers does not count, unless it is out of order, or the link itself is dead
        (Gone). Pages that lead on by a script or by `<meta http-equiv="refresh">` are ends.
        """
        return self._tried(lambda: self._end(url))

    def rules(self, url: str) -> Rules:
        """Return what the robots.txt of an address's site says to this client; raises NoPage or Stopped."""
        place = place_of(url, self.options)
        return self._tried(lambda: self._robots.rules(place, self._check))

    def delay(self, url: str) -> float:
        """Return the seconds that lie between two requests to an address's host now, for estimates of what is left."""
        place = place_of(url, self.options)
        return max(self._pace.delay(place.host), self._crawl_delay(self._robots.known(place)))

    def _page(self, url: str, any_kind: bool) -> Page:
        kept: dict[str, Kept] = {}

        def conditions(place: Place) -> Mapping[str, str]:
            found = self._cache.find(place.asked) if self._cache else None
            if not found:
                return {}
            kept[place.asked] = found
            return found.conditions

        leash = self._leash(self.options.page_seconds)
        with self._follower.followed(url, leash, self._permit, conditions) as arrival:
            known = kept.get(arrival.place.asked)
            if known and arrival.answer.status == 304:
                return self._made(url, arrival, known, any_kind, unchanged=True)
            return self._made(url, arrival, self._read(arrival.answer, any_kind), any_kind, unchanged=False)

    def _read(self, answer: Answer, any_kind: bool) -> Kept:
        """Return what an answer holds, once it is known to be a page; raises NoPage."""
        if problem := verdict(answer):
            raise problem
        kind = kind_of(answer.header("content-type"))
        if not any_kind and not is_text(kind):
            raise NotText(f"{answer.place.host} sends no text but {kind}", status=answer.status)
        body = unpacked(answer.read(self.options.wire_bytes), answer.encoding, self.options.page_bytes)
        if guard := guard_of(answer.status, answer.headers, body):
            raise blocked(answer, guard)
        found = Kept({name: value for name in HEADERS if (value := answer.header(name))}, body)
        if self._cache and answer.status == 200 and "no-store" not in answer.header("cache-control").lower():
            self._cache.keep(answer.place.asked, found.headers, body)
        return found

    def _made(self, url: str, arrival: Arrival, found: Kept, any_kind: bool, unchanged: bool) -> Page:
        content_type = found.headers.get("content-type", "")
        readable = is_text(kind_of(content_type)) and not is_binary(found.body)
        if not readable and not any_kind:
            raise NotText(f"{arrival.place.host} sends no text, though it says so", status=arrival.answer.status)
        text, encoding = text_of(found.body, content_type) if readable else ("", "")
        return Page(
            asked=url,
            url=str(arrival.place),
            status=200 if unchanged else arrival.answer.status,
            content_type=kind_of(content_type),
            body=found.body,
            text=text,
            encoding=encoding,
            headers=found.headers,
            fetched=datetime.now(UTC),
            redirects=arrival.trail,
            unchanged=unchanged,
        )

    def _end(self, url: str) -> str:
        leash = self._leash(self.options.page_seconds)
        with self._follower.followed(url, leash, lambda place: 0.0) as arrival:
            status = arrival.answer.status
            dead = status in {404, 410} and not arrival.trail
            if (dead or 500 <= status < 600) and (problem := verdict(arrival.answer)):
                raise problem
            return str(arrival.place)

    def _permit(self, place: Place) -> float:
        """Return the delay that a place's site asks for; raises Refused where its robots.txt forbids the place."""
        rules = self._robots.rules(place, self._check)
        if not rules.allow(place.asked):
            raise Refused(f"the robots.txt of {place.host} does not allow this page", by="robots")
        return self._crawl_delay(rules)

    def _crawl_delay(self, rules: Rules) -> float:
        return min(rules.delay, self.options.crawl_delay_most)

    def _robots_txt(self, place: Place) -> bytes | None:
        """Return a site's robots.txt, None when there is none: 4xx allows all, but for 429, which is trouble as 5xx."""
        most = self.options.robots_bytes
        leash = self._leash(self.options.robots_seconds)
        url = f"{place.origin}/robots.txt"
        try:
            with self._follower.followed(url, leash, lambda place: 0.0, most=ROBOTS_REDIRECTS) as arrival:
                answer = arrival.answer
                if 200 <= answer.status < 300:
                    body = unpacked(answer.read(most, cut=True), answer.encoding, most, cut=True)
                    # A line that was cut off in the middle would say something else.
                    return body if len(body) < most else body[: body.rfind(b"\n") + 1]
                problem = verdict(answer)
                if isinstance(problem, Unavailable):
                    raise problem
                return None
        except BadRedirect:
            return None
        except Unavailable as error:
            if not error.passing:
                raise
            words = f"its robots.txt, without which nothing is fetched, cannot be had: {error.reason}"
            raise Unavailable(words, passing=error.passing, status=error.status, after=error.after) from error

    def _leash(self, seconds: float) -> Leash:
        return Leash(seconds, self._check)

    def _check(self) -> None:
        if self._closed.is_set() or self._stop():
            raise Stopped.by_the_caller()

    def _tried(self, once: Callable[[], T]) -> T:
        """Return what `once` does, tried again while what goes wrong may pass."""
        for attempt in count(1):
            self._check()
            try:
                return once()
            except NoPage as outcome:
                too_long = (outcome.after or 0) > self.options.retry_after_most
                if not outcome.passing or attempt >= self.options.attempts or too_long:
                    _settle(outcome)
                # Spread, so that threads that failed together do not come back together. The rest that a host asked
                # for is waited for with the turn at it.
                wait = self.options.backoff * 2 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311 - no secret
            self._clock.pause(wait, self._check)
        raise AssertionError


def _settle(outcome: NoPage) -> NoReturn:
    """Raise the outcome that is left after the last attempt."""
    if isinstance(outcome, Unavailable) and outcome.status == 429:
        raise Blocked(f"{outcome.reason}, and that does not pass", status=429, after=outcome.after) from outcome
    raise outcome
