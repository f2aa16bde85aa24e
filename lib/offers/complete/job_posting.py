"""From a `JobPosting` of schema.org's to a posting, whatever shape its values have."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

from lib.offers.complete.document import fragment
from lib.offers.complete.json_ld import Node
from lib.offers.complete.posting import Posting
from lib.offers.complete.texts import line, paragraphs

CONTRACTS = {
    "FULL_TIME": "Full-time",
    "PART_TIME": "Part-time",
    "CONTRACTOR": "Contractor",
    "TEMPORARY": "Temporary",
    "INTERN": "Internship",
    "VOLUNTEER": "Volunteer",
    "PER_DIEM": "Per diem",
    "OTHER": "",
}
"""Words for the codes of employmentType, from Google's documentation of JobPosting; other words stay the site's own."""
_PERIODS = {"HOUR": "hour", "DAY": "day", "WEEK": "week", "MONTH": "month", "YEAR": "year", "HEURE": "hour"}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "janv", "january", "janvier"),
            ("feb", "fev", "fév", "févr", "february", "février", "fevrier"),
            ("mar", "mars", "march"),
            ("apr", "avr", "april", "avril"),
            ("may", "mai"),
            ("jun", "june", "juin"),
            ("jul", "juil", "july", "juillet"),
            ("aug", "aout", "août", "august"),
            ("sep", "sept", "september", "septembre"),
            ("oct", "october", "octobre"),
            ("nov", "november", "novembre"),
            ("dec", "déc", "december", "décembre", "decembre"),
        ),
        start=1,
    )
    for name in names
}
MOST_PLACES = 5


def posting_of(node: Node) -> Posting:
    """Return what a `JobPosting` says; values that make no sense are left out."""
    published, expires = day(_first(node.get("datePosted"))), day(_first(node.get("validThrough")))
    if published and expires and expires < published:
        expires = None  # some sites write the day of publication, or one of long ago, into both
    return Posting(
        title=line(_first(node.get("title"))) or _name(node.get("name")),
        company=_name(node.get("hiringOrganization")),
        place=_places(node.get("jobLocation")),
        contract=_contract(node.get("employmentType")),
        salary=_salary(node.get("baseSalary")) or _salary(node.get("estimatedSalary")),
        remote=_remote(node),
        published=published,
        expires=expires,
        description=_description(node),
        identity=_identity(node.get("identifier")),
        url=line(_first(node.get("url")) or node.get("@id"), 2000),
    )


def day(value: object) -> date | None:
    """Return the day that a value names: ISO, the French order, words, seconds or milliseconds since 1970."""
    if isinstance(value, int | float):
        # In seconds up to the year 5138, else in milliseconds.
        seconds = value / 1000 if 1e11 < value < 1e14 else value
        return _sensible(datetime.fromtimestamp(seconds, UTC).date()) if 0 < seconds < 1e11 else None
    text = line(value, 60).casefold()
    numbers: tuple[str, str, str] | None = None
    if match := re.match(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", text) or re.match(
        r"(\d{4})(\d\d)(\d\d)(?!\d)", text
    ):
        numbers = (match[1], match[2], match[3])
    elif match := re.match(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?!\d)", text):
        # Day first, as in France, unless it cannot be.
        numbers = (match[3], match[2], match[1]) if int(match[2]) <= 12 else (match[3], match[1], match[2])
    elif match := re.search(r"(\d{1,2})(?:er|st|nd|rd|th)?\s+([^\W\d_]{3,9})\.?,?\s+(\d{4})", text):
        numbers = (match[3], str(_MONTHS.get(match[2], 0)), match[1])
    elif match := re.search(r"([^\W\d_]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})", text):
        numbers = (match[3], str(_MONTHS.get(match[1], 0)), match[2])
    if numbers is None:
        return None
    try:
        return _sensible(date(*map(int, numbers)))
    except ValueError:
        return None


def _sensible(found: date) -> date | None:
    return found if 2000 <= found.year <= 2100 else None


def _listed(value: object) -> list[object]:
    return value[:50] if isinstance(value, list) else [] if value is None else [value]


def _first(value: object) -> object:
    """Return the first value that says something, of one, a list, or an object with a value."""
    for each in _listed(value):
        inner = each.get("@value", each.get("value")) if isinstance(each, dict) else each
        if inner not in (None, "", [], {}) and not isinstance(inner, dict | list):
            return inner
    return None


def _name(value: object) -> str:
    for each in _listed(value):
        if found := line(each.get("name") or each.get("legalName") if isinstance(each, dict) else each):
            return found
    return ""


def _identity(value: object) -> str:
    for each in _listed(value):
        inner = each.get("value") or each.get("@id") if isinstance(each, dict) else each
        if found := line(inner if not isinstance(inner, float) else int(inner) if math.isfinite(inner) else "", 100):
            return found
    return ""


def _places(value: object) -> str:
    found = dict.fromkeys(place for each in _listed(value) if (place := _place(each)))
    return line(" / ".join(list(found)[:MOST_PLACES]))


def _place(value: object) -> str:
    """Return a place as `town, region, country`; what the site writes as one text stays as it is."""
    if not isinstance(value, dict):
        return line(value)
    address = next(iter(_listed(value.get("address"))), None)
    if not isinstance(address, dict):
        if "addressLocality" not in value and "addressRegion" not in value:
            return line(address) or _name(value)
        address = value
    parts = [_name(address.get(part)) for part in ("addressLocality", "addressRegion", "addressCountry")]
    if not parts[0]:
        parts[0] = _name(value.get("name")) or _name(address.get("postalCode"))
    return line(", ".join(dict.fromkeys(part for part in parts if part)))


def _contract(value: object) -> str:
    """Return the kinds of contract in words: those of CONTRACTS for its codes, else as the site writes them."""

    def words() -> Iterator[str]:
        for each in _listed(value):
            text = _name(each)
            # Some write several into one text: "FULL_TIME, CONTRACTOR".
            for part in re.split(r"\s*[,;|]\s*", text) if re.fullmatch(r"[A-Z_,;|\s]+", text) else [text]:
                yield CONTRACTS.get(part.upper().replace("-", "_").replace(" ", "_"), part)

    return line(", ".join(dict.fromkeys(filter(None, words()))))


def _remote(node: Node) -> str:
    """Return `Remote` where the posting says that it is; otherwise the site's own words for it, if any."""
    kinds = [_name(each) for each in _listed(node.get("jobLocationType"))]
    return "Remote" if any(each.upper() == "TELECOMMUTE" for each in kinds) else next(iter(filter(None, kinds)), "")


def _salary(value: object) -> str:
    """Return a salary as `45000–55000 EUR/year`; what the site writes in words stays as it is."""
    for each in _listed(value):
        if not isinstance(each, dict):
            found = line(each)
            if found and found != "0":
                return found
            continue
        amount = next(iter(_listed(each.get("value"))), None)
        range_ = {**each, **(amount if isinstance(amount, dict) else {"value": amount})}
        low, high = _number(range_.get("minValue")), _number(range_.get("maxValue"))
        only = range_.get("value")
        if not low and not high:
            low = _number(only)
            if not low and isinstance(only, str) and (text := line(only)) and text != "0":
                return text
        if text := "–".join(dict.fromkeys(number for number in (low, high) if number)):
            unit = _name(range_.get("unitText"))
            period = _PERIODS.get(unit.upper(), unit.casefold())
            currency = _name(range_.get("currency"))
            return line(" ".join(filter(None, (text, currency))) + (f"/{period}" if period else ""))
    return ""


def _number(value: object) -> str:
    """Return an amount in plain digits; empty for none, nothing, and what is no amount."""
    value = _first(value)
    if isinstance(value, str):
        text = re.sub(r"[\s'’]", "", value[:40])
        text = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", text).replace(",", ".")
        match = re.fullmatch(r"\D{0,4}(\d{1,12}(?:\.\d{1,4})?)\D{0,4}", text)
        value = float(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e12:
        return ""
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def _description(node: Node) -> str:
    """Return the description, and under it what the fields beside it say more: some sites say it all in both."""
    texts = (_first(node.get(name)) for name in ("description", "responsibilities", "qualifications", "skills"))
    whole = ""
    for part in (fragment(each) for each in texts if isinstance(each, str)):
        if part not in whole:
            whole = paragraphs(f"{whole}\n\n{part}")
    return whole
