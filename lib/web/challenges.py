"""Telling a page from what a guard against bots puts in its place."""

import re
from collections.abc import Mapping

LOOK = 65_536
"""Bytes of an answer that are looked at."""
SMALL = 40_000
"""Bytes of the largest page that may be a challenge though the answer says 200: there is nothing else on it."""

DENIALS = frozenset({401, 403, 405, 406, 429})

# Names of guards and what their challenges hold. Sources: the guards' documentation and their pages, as published.
_CHALLENGES = (
    ("Cloudflare", re.compile(rb"_cf_chl_opt|challenge-platform/h/\w/orchestrate/|cf-browser-verification")),
    ("DataDome", re.compile(rb"captcha-delivery\.com")),
    ("HUMAN", re.compile(rb"px-captcha|captcha\.px-cdn\.net")),
    ("Imperva", re.compile(rb"_Incapsula_Resource.{0,2000}Incapsula incident|Request unsuccessful\. Incapsula", re.S)),
    ("AWS WAF", re.compile(rb"gokuProps")),
    ("Anubis", re.compile(rb"/\.within\.website/x/cmd/anubis")),
    ("Sucuri", re.compile(rb"sucuri_cloudproxy_js")),
    ("SiteGround", re.compile(rb"/\.well-known/(?:sg)?captcha/")),
    ("DDoS-Guard", re.compile(rb"/\.well-known/ddos-guard/")),
)
# Said by pages of all kinds; on a denial they mean a challenge.
_ON_DENIALS = (
    ("Cloudflare", re.compile(rb"<title>(?:Just a moment|Attention Required! \| Cloudflare)|cf-error-details")),
    ("Akamai", re.compile(rb"errors\.edgesuite\.net|<TITLE>Access Denied</TITLE>")),
    ("a captcha", re.compile(rb"hcaptcha\.com/|/recaptcha/|challenges\.cloudflare\.com|captcha", re.I)),
)


def guard_of(status: int, headers: Mapping[str, str], start: bytes) -> str | None:
    """Return the name of the guard that answered instead of the site; None when it was the site.

    `start` is the beginning of the body, of which LOOK bytes are looked at.
    """
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return "Cloudflare"
    if headers.get("x-amzn-waf-action", "").lower() in {"challenge", "captcha"}:
        return "AWS WAF"
    if status == 999:  # LinkedIn's own
        return "the site"
    start = start[:LOOK]
    if status in DENIALS:
        return _first(_CHALLENGES + _ON_DENIALS, start)
    if status == 503 or (status < 300 and len(start) <= SMALL):
        return _first(_CHALLENGES, start)
    return None


def _first(signs: tuple[tuple[str, re.Pattern[bytes]], ...], start: bytes) -> str | None:
    return next((name for name, sign in signs if sign.search(start)), None)
