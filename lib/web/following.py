"""Going from an address to the answer at the end of its redirects, a polite request at a time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from lib.web.cache import is_sendable
from lib.web.clock import Clock
from lib.web.leash import Leash
from lib.web.options import WebOptions
from lib.web.outcomes import BadRedirect, Refused, Unavailable
from lib.web.pace import Pace
from lib.web.packing import ACCEPTED
from lib.web.places import Place, place_of
from lib.web.verdicts import rest_asked_for
from lib.web.wire import Answer, Wire

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_COOKIES = 8192
"""Characters of cookies that are sent back."""


def no_conditions(_place: Place) -> Mapping[str, str]:
    """Ask for a page as it is."""
    return {}


@dataclass(frozen=True)
class Arrival:
    """The end of the way."""

    answer: Answer
    place: Place
    trail: tuple[str, ...]
    """Addresses that led here, the first one first."""


class Follower:
    """Follows redirects; every address on the way is checked as the first one is."""

    def __init__(self, wire: Wire, pace: Pace, options: WebOptions, clock: Clock) -> None:
        self._wire = wire
        self._pace = pace
        self._options = options
        self._clock = clock

    @contextmanager
    def followed(
        self,
        url: str,
        leash: Leash,
        permit: Callable[[Place], float],
        conditions: Callable[[Place], Mapping[str, str]] = no_conditions,
        most: int | None = None,
    ) -> Iterator[Arrival]:
        """Give the answer at the end of at most `most` redirects, its body still unread; raises NoPage.

        `permit` is asked before each request, and returns the seconds that its host wants between two requests; it may
        raise. `conditions` are further headers for a place. Cookies are kept for this one way only: some sites lead
        round in circles without.
        """
        most = self._options.redirects if most is None else most
        cookies = httpx.Cookies()
        trail: list[str] = []
        seen: set[tuple[str, str]] = set()
        place = place_of(url, self._options)
        while True:
            with _told(redirected=bool(trail)):
                delay = permit(place)
            cookie = _cookie(cookies, place)
            if (place.asked, cookie) in seen:
                raise BadRedirect(f"{place.host} redirects in a circle")
            seen.add((place.asked, cookie))
            headers = {**conditions(place), **({"Cookie": cookie} if cookie else {})}
            with _told(redirected=bool(trail)), self._asked(place, headers, leash, delay) as answer:
                if answer.status not in REDIRECTS:
                    yield Arrival(answer, place, tuple(trail))
                    return
                if len(trail) >= most:
                    raise BadRedirect(f"{place.host} is the end of {most} redirects, and redirects again")
                _take(cookies, answer)
                following = self._next(place, answer)
            trail.append(str(place))
            place = following

    @contextmanager
    def _asked(self, place: Place, further: dict[str, str], leash: Leash, delay: float) -> Iterator[Answer]:
        """Ask for one page when it is its turn, and note how the host bears it."""
        headers = {
            "User-Agent": self._options.user_agent,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": self._options.languages,
            "Accept-Encoding": ACCEPTED,
            **further,
        }
        answered = False
        with self._pace.turn(place.host, delay, leash.wanted):
            begun = self._clock.now()
            try:
                with self._wire.asked(place, headers, leash) as answer:
                    answered = True
                    after = rest_asked_for(answer) if answer.status in {429, 503} else None
                    self._pace.answered(place.host, answer.status, self._clock.now() - begun, after)
                    yield answer
            except Unavailable:
                if not answered:
                    self._pace.answered(place.host, None, self._clock.now() - begun, None)
                raise

    def _next(self, place: Place, answer: Answer) -> Place:
        location = answer.header("location")
        if not location:
            raise BadRedirect(f"{place.host} redirects and does not say where to")
        with _told(redirected=True):
            return place_of(location, self._options, place)


@contextmanager
def _told(redirected: bool) -> Iterator[None]:
    """Say of a place that this client refuses whether it was asked for, or redirected to."""
    try:
        yield
    except Refused as refusal:
        if refusal.by != "us" or not redirected:
            raise
        raise BadRedirect(f"it redirects to a place that is refused: {refusal.reason}") from refusal


def _take(cookies: httpx.Cookies, answer: Answer) -> None:
    """Take the cookies of an answer, but for those that could not be sent back."""
    lines = [("Set-Cookie", line) for line in answer.headers.get_list("set-cookie") if is_sendable(line)]
    request = httpx.Request("GET", answer.place.asked)
    cookies.extract_cookies(httpx.Response(answer.status, headers=lines, request=request))


def _cookie(cookies: httpx.Cookies, place: Place) -> str:
    request = httpx.Request("GET", place.asked)
    cookies.set_cookie_header(request)
    found = request.headers.get("cookie", "")
    return found if len(found) <= MOST_COOKIES else ""
