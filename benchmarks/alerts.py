"""How much of the offers in alerts is read right, per sender.

An offer counts as found when one with its link, or else with its title, is found; `all` when title, company, place and
link are right at once. `surplus` counts offers found that are none. Read from the synthetic alerts of the tests, which
are made after the structure of real ones but by the same hand as the parser: 100 % there says that nothing is broken,
not that real mail is read as well. So three more figures: the real texts of LinkedIn's alerts, where
../shared/testdata is there; and the synthetic ones with their layout changed, `all` again: tables become divs, or
everything becomes one row of paragraphs. No link is followed.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from email import message_from_bytes
from email.encoders import encode_base64
from email.mime.nonmultipart import MIMENonMultipart
from pathlib import Path
from typing import Any

from lib.errors import InputError
from lib.offers.alerts.conversion import offers_of
from lib.offers.alerts.parsing import read_alert
from lib.offers.offer import Offer

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "lib" / "offers" / "alerts" / "fixtures"
REAL = ROOT.parent / "shared" / "testdata" / "emails"
FIELDS = ("title", "company", "place", "link")

Change = Callable[[str], str]


@dataclass(frozen=True)
class Case:
    """An alert and the offers that it shows."""

    source: str
    raw: bytes
    offers: list[dict[str, str]]


@dataclass
class Row:
    """What the table says of a sender."""

    offers: int = 0
    found: int = 0
    title: int = 0
    company: int = 0
    place: int = 0
    link: int = 0
    all: int = 0
    surplus: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    """`all` of the alerts with their layout changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    rows = {**run(synthetic()), **{f"{source} (real texts)": row for source, row in run(real()).items()}}
    if arguments.json:
        print(json.dumps({source: asdict(row) for source, row in rows.items()}, indent=2, ensure_ascii=False))
        return
    columns = ("found", *FIELDS, "all")
    print(
        f"{'sender':<24}{'offers':>7}"
        + "".join(f"{each:>9}" for each in columns)
        + f"{'surplus':>9}{'divs':>7}{'flat':>7}"
    )
    for source, row in rows.items():
        shares = "".join(f"{getattr(row, each) / row.offers:>9.0%}" for each in columns)
        changed = "".join(f"{row.changed[each] / row.offers:>7.0%}" if row.changed else f"{'':>7}" for each in CHANGES)
        print(f"{source:<24}{row.offers:>7}{shares}{row.surplus:>9}{changed}")


def run(cases: Iterable[Case]) -> dict[str, Row]:
    """Measure each sender."""
    rows: dict[str, Row] = {}
    for case in cases:
        row = rows.setdefault(case.source, Row())
        measure(case, row)
        for name, change in CHANGES.items():
            again = Row()
            measure(Case(case.source, altered(case.raw, change), case.offers), again)
            row.changed[name] = row.changed.get(name, 0) + again.all
    return rows


def measure(case: Case, row: Row) -> None:
    """Add to a row how one alert is read."""
    try:
        found = offers_of(read_alert(case.raw, case.source), case.source, lambda link: None)
    except InputError:
        found = []
    for wanted in case.offers:
        offer = _like(found, wanted)
        row.offers += 1
        if offer is None:
            continue
        found.remove(offer)
        right = {name: getattr(offer, name) == wanted[name] for name in FIELDS}
        row.found += 1
        row.all += all(right.values())
        for name, is_right in right.items():
            setattr(row, name, getattr(row, name) + is_right)
    row.surplus += len(found)


def synthetic() -> Iterator[Case]:
    """Yield the alerts of the tests."""
    for path in sorted(FIXTURES.glob("*/*.json")):
        said: dict[str, Any] = json.loads(path.read_text())
        yield Case(said["source"], path.with_suffix(".eml").read_bytes(), said["offers"])


def real() -> Iterator[Case]:
    """Yield the real texts of LinkedIn's alerts; none where the test data are not there."""
    expected = REAL / "linkedin_text_expected.json"
    for name, offers in json.loads(expected.read_text()).items() if expected.is_file() else ():
        part = MIMENonMultipart("text", "plain", charset="utf-8")
        part.set_payload((REAL / name).read_bytes())
        encode_base64(part)
        wanted = [
            {"title": o["title"], "company": o["company"], "place": o["location"], "link": o["url"]} for o in offers
        ]
        yield Case("LinkedIn", part.as_bytes(), wanted)


def altered(raw: bytes, change: Change) -> bytes:
    """Return a message with its HTML changed and without its text; one without HTML as it is."""
    for part in message_from_bytes(raw).walk():
        content = part.get_payload(decode=True)
        if part.get_content_type() == "text/html" and isinstance(content, bytes):
            html = content.decode(part.get_content_charset("utf-8").replace("iso-8859-1", "cp1252"))
            new = MIMENonMultipart("text", "html", charset="utf-8")
            new.set_payload(change(html).encode())
            encode_base64(new)
            return new.as_bytes()
    return raw


def _divs(html: str) -> str:
    return re.sub(r"(</?)(?:table|tbody|tr|td|ul|li)\b[^>]*>", r"\1div>", html)


def _flat(html: str) -> str:
    html = re.sub(r"</?(?:table|tbody|tr|ul)\b[^>]*>", "", html)
    return re.sub(r"<(?:td|div|li)\b[^>]*>", "<p>", re.sub(r"</(?:td|div|li)>", "</p>", html))


CHANGES: dict[str, Change] = {"divs": _divs, "flat": _flat}


def _like(found: list[Offer], wanted: dict[str, str]) -> Offer | None:
    return next(
        (offer for name in ("link", "title") for offer in found if getattr(offer, name) == wanted[name]),
        None,
    )


if __name__ == "__main__":
    main()
